/// What `swift-tgtd --check` prints: the configuration as the daemon understands it, and warnings.
/// It shows no secrets.
public enum ConfigurationSummary {
  public static func text(_ loaded: LoadedConfiguration) -> String {
    let configuration = loaded.configuration
    var sections = [
      section("portals", portals(configuration)), section("stores", stores(configuration)),
    ]
    sections += configuration.targets.map { target($0) }
    if configuration.targets.isEmpty { sections.append(section("targets", [])) }
    sections.append(section("daemon", daemon(configuration)))
    if !loaded.warnings.isEmpty {
      sections.append(section("warnings", loaded.warnings.map { [$0.description] }))
    }
    return sections.joined(separator: "\n")
  }

  private static func portals(_ configuration: TargetConfiguration) -> [[String]] {
    configuration.portals.map { portal in
      [
        portal.endpoint.description, "group \(portal.group)",
        portal.advertise.map { "announced as \($0)" } ?? "",
      ]
    }
  }

  private static func stores(_ configuration: TargetConfiguration) -> [[String]] {
    configuration.stores.map { store in
      [
        store.name, store.medium.keyword, store.sizeBytes.map { ByteSize.description($0) } ?? "-",
        "cache \(store.cache.rawValue)",
        store.blockSize.map { "\($0)-byte blocks" } ?? "device's blocks",
        store.readOnly ? "read-only" : "",
        store.naa.map { "wwn-0x\($0)" } ?? "",
        store.medium.path ?? "",
      ]
    }
  }

  private static func target(_ target: TargetConfiguration.Target) -> String {
    var rows = [["alias", target.alias ?? ""]].filter { $0[1] != "" }
    if let groups = target.portalGroups {
      rows.append(["portal groups", groups.map { String($0) }.joined(separator: ", ")])
    }
    rows += target.luns.map { [description($0)] }
    rows += target.acl.flatMap { access($0, of: target) }
    if target.isOpenToAny {
      let who = target.acl.isEmpty ? "anybody" : "anybody else"
      rows.append(["\(who) may log in, \(authentication(target.chap, target.mutualChap))"])
    } else if target.acl.isEmpty {
      rows.append(["nobody may log in"])
    }
    return section("target \(target.name)", rows.map { [$0.joined(separator: " ")] })
  }

  private static func access(
    _ entry: TargetConfiguration.AccessEntry, of target: TargetConfiguration.Target
  ) -> [[String]] {
    let users = entry.chap.isEmpty ? target.chap : entry.chap
    let who = entry.initiator ?? "any initiator"
    let place =
      entry.addresses.isEmpty
      ? "" : " from " + entry.addresses.map(\.description).joined(separator: ", ")
    let rights = entry.readOnly ? ", read-only" : ""
    let how = authentication(users, entry.mutualChap ?? target.mutualChap)
    let own = (entry.luns ?? []).map { "sees \(description($0))" }
    let nothing = entry.luns?.isEmpty == true ? ["sees no LUN"] : []
    return [["\(who)\(place) may log in, \(how)\(rights)"]] + (own + nothing).map { ["  " + $0] }
  }

  private static func description(_ lun: TargetConfiguration.LUN) -> String {
    "lun \(lun.number): \(lun.store)\(lun.readOnly ? ", read-only" : "")"
  }

  private static func authentication(
    _ users: [TargetConfiguration.Credential], _ mutual: TargetConfiguration.Credential?
  ) -> String {
    guard !users.isEmpty else { return "without authentication" }
    let names = users.map(\.user).joined(orBefore: "or")
    return "CHAP user \(names)" + (mutual.map { ", target answers as \($0.user)" } ?? "")
  }

  private static func daemon(_ configuration: TargetConfiguration) -> [[String]] {
    let discovery = configuration.discovery
    return [
      ["discovery", authentication(discovery.chap, discovery.mutualChap)],
      ["state", configuration.stateDirectory],
      ["engine", configuration.engine.rawValue],
      ["reactors", configuration.reactorCount.map { String($0) } ?? "one for each CPU"],
      [
        "memory",
        configuration.memoryBytes.map { ByteSize.description($0) }
          ?? "a quarter of the memory, at most 1GiB",
      ],
    ]
  }

  /// A title and its rows, indented, with columns aligned and empty columns left out.
  private static func section(_ title: String, _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "\(title)\n  none\n" }
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
    }
    let lines = rows.map { row in
      var line = " "
      for (column, cell) in row.enumerated() where widths[column] > 0 {
        line += " " + cell + String(repeating: " ", count: widths[column] - cell.count + 1)
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    return "\(title)\n" + lines.joined(separator: "\n") + "\n"
  }
}
