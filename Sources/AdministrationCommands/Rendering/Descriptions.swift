internal import AdministrationModel
internal import CommandSupport

/// The texts of `show`.
enum Descriptions {
  static func target(_ target: TargetResource, on console: any Console) -> String {
    var details = Details()
    details.add("Target", target.name)
    details.addIfAny("Alias", target.alias)
    details.add(
      "Portal groups", target.portalGroups?.map { "\($0)" }.joined(separator: ", ") ?? "all")
    details.add("CHAP users", target.chapUsers.joined(separator: ", "))
    details.addIfAny("Proves to be", target.mutualCHAPUser)
    details.add("Sessions", "\(target.sessionCount)")
    let luns = Lists.luns([target]).text(orElse: "no LUNs", on: console)
    let access = Lists.entries([target]).text(
      orElse: "nobody may log in: " + Hints.howToAllow(target.name), on: console)
    return details.text + "\n" + luns + "\n" + access
  }

  static func lun(_ lun: LUNResource, of target: String, store: StoreResource?) -> String {
    var details = Details()
    details.add("Target", target)
    details.add("LUN", "\(lun.lun)")
    details.add("Store", lun.store)
    details.addIfAny("Path", store?.path)
    details.add("State", state(lun.state, store?.reason))
    details.addIfAny("What to do", store?.remedy)
    details.add("Size", Quantity.size(lun.sizeBytes))
    details.add("Block size", lun.blockSize.map { "\($0)" })
    details.add("Rights", lun.readOnly ? "read-only" : "read and write")
    details.add("WWID", lun.wwn)
    details.addIfAny("Serial", store?.serial)
    return details.text
  }

  private static func state(_ state: StoreState, _ reason: String?) -> String {
    state.rawValue + (reason.map { ": \($0)" } ?? "")
  }

  static func store(_ store: StoreResource) -> String {
    var details = Details()
    details.add("Store", store.name)
    details.add("Kind", store.kind.rawValue)
    details.addIfAny("Path", store.path)
    details.add("State", state(store.state, store.reason))
    details.addIfAny("What to do", store.remedy)
    details.addIfAny("Since", Quantity.time(store.since))
    details.add("Size", Quantity.size(store.sizeBytes))
    details.add("Used", Quantity.size(store.allocatedBytes))
    details.add("Block size", store.blockSize.map { "\($0)" })
    details.addIfAny("Physical", store.physicalBlockSize.map { "\($0)" })
    details.add("Cache", store.cache)
    details.add("Discard", store.discard)
    details.add("Rights", store.readOnly ? "read-only" : "read and write")
    details.add("WWID", store.wwn)
    details.add("Serial", store.serial)
    details.add("Vendor", store.vendor)
    details.add("Product", store.product)
    for place in store.presentedBy {
      let whom = place.initiator.map { " for \($0)" } ?? ""
      details.add("Presented as", "\(place.target) LUN \(place.lun)\(whom)")
    }
    return details.text
  }

  static func session(_ session: SessionResource) -> String {
    var details = Details()
    details.add("Session", "\(session.id)")
    details.add("Initiator", session.initiator)
    details.addIfAny("Alias", session.initiatorAlias)
    details.add("Target", session.target ?? "(discovery)")
    details.add("ISID, TSIH", "\(session.isid), \(session.tsih)")
    details.add("CHAP user", session.user)
    details.add("Since", Quantity.time(session.since))
    details.add("LUNs", session.luns.map { "\($0)" }.joined(separator: ", "))
    details.add("Tasks", "\(session.taskCount)")
    let counters = session.counters
    details.add("Reads", "\(counters.reads), \(Quantity.size(counters.readBytes))")
    details.add("Writes", "\(counters.writes), \(Quantity.size(counters.writtenBytes))")
    details.add("Errors", "\(counters.errors)")
    details.add("Reservation conflicts", "\(counters.reservationConflicts)")
    return details.text + "\n" + connections(session.connections)
  }

  private static func connections(_ connections: [ConnectionResource]) -> String {
    var table = Table(
      .number("CID"), .text("FROM"), .text("TO"), .number("GROUP"), .text("HEADER DIGEST"),
      .text("DATA DIGEST"), .number("RECEIVED"), .number("SENT"), .text("SINCE"))
    for connection in connections {
      table.add(
        Table.Cell(connection.cid), Table.Cell(connection.remoteAddress),
        Table.Cell(connection.localAddress), Table.Cell(connection.portalGroup),
        Table.Cell(connection.headerDigest), Table.Cell(connection.dataDigest),
        Table.Cell(Quantity.size(connection.receivedBytes)),
        Table.Cell(Quantity.size(connection.sentBytes)),
        Table.Cell(Quantity.time(connection.since)))
    }
    return table.text(orElse: "no connections")
  }

  static func reservation(_ resource: ReservationResource, on console: any Console) -> String {
    var details = Details()
    details.add("Store", resource.store)
    guard resource.problem == nil else { return details.text }
    details.add("Type", resource.reservation?.type)
    details.add("Scope", resource.reservation?.scope)
    details.add("Held by", resource.reservation?.holders.joined(separator: ", "))
    details.add("Key", resource.reservation?.key)
    details.add("Since", Quantity.time(resource.reservation?.since))
    details.add("Generation", "\(resource.generation)")
    details.add("Through power loss", resource.persists ? "yes" : "no")
    return details.text + "\n"
      + Lists.registrants(resource.registrants).text(orElse: "nobody is registered", on: console)
  }

  /// `targets`: those of the refused logins that are told, as far as there are any; `unread`: those
  /// of which that is not known.
  static func status(
    _ status: StatusResource, _ targets: [TargetResource], unread: Set<String>,
    on console: any Console
  ) -> String {
    var details = Details()
    details.add("Daemon", "swift-tgtd \(status.version), \(status.phase.rawValue)")
    details.add("Process", "\(status.processID), since \(Quantity.time(status.startedAt) ?? "-")")
    details.add(
      "Configuration", (status.configurationFile ?? "no file") + fileCondition(status))
    details.add("Engine", "\(status.engine), \(Quantity.count(status.reactorCount, "reactor"))")
    details.add(
      "Buffers",
      "\(Quantity.size(status.bufferBytesInUse)) of \(Quantity.size(status.bufferBytes)) in use")
    details.add("Targets", "\(status.targetCount), \(Quantity.count(status.lunCount, "LUN"))")
    let offline = status.offlineStoreCount > 0 ? ", \(status.offlineStoreCount) offline" : ""
    let endangered =
      status.endangeredStoreCount > 0 ? ", \(status.endangeredStoreCount) endangered" : ""
    details.add("Stores", "\(status.storeCount)\(offline)\(endangered)")
    details.add(
      "Sessions",
      "\(status.sessionCount), \(Quantity.count(status.connectionCount, "connection"))")
    details.addIfAny("Refused logins", refusals(status.loginFailures))
    let portals = Lists.portals(status.portals).text(orElse: "no portals", on: console)
    let problems =
      status.problems.map(problem).joined() + refusals(status, targets, unread)
      + unsaved(status)
    return details.text + "\n" + portals + (problems.isEmpty ? "" : "\n" + problems)
  }

  private static func fileCondition(_ status: StatusResource) -> String {
    let fate =
      switch status.configurationFileState {
      case .unchanged, nil: ""
      case .edited: ", edited since"
      case .invalid: ", not valid"
      case .missing: ", gone"
      }
    return fate + (status.hasUnsavedChanges ? ", differs from what runs" : "")
  }

  private static func problem(_ problem: StatusProblem) -> String {
    let remedy = problem.remedy.map { "  what to do: \($0.printable)\n" } ?? ""
    return "problem: \(problem.message.printable)\n" + remedy
  }

  /// Since the start; nil: none.
  private static func refusals(_ counts: [String: UInt64]) -> String? {
    let counts = counts.filter { $0.value > 0 }
    guard !counts.isEmpty else { return nil }
    let reasons = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let list = reasons.map { "\($0.value) \(words(ofReason: $0.key))" }.joined(separator: ", ")
    return "\(counts.values.reduce(0, &+)) since the start: \(list)"
  }

  /// Also of one that a newer daemon may have: `tooManyConnections`.
  private static func words(ofReason reason: String) -> String {
    // The daemon answers both alike, so that nobody learns of targets that are not for him.
    guard reason != "notFound" else { return "no such target or no access" }
    return reason.map { $0.isUppercase ? " \($0.lowercased())" : "\($0)" }.joined()
  }

  /// So many of the newest are shown.
  static let refusalsMax = 3

  private static func refusals(
    _ status: StatusResource, _ targets: [TargetResource], _ unread: Set<String>
  ) -> String {
    let logins = status.refusedLogins
    let examination = RefusalExamination(DaemonReading(status: status, targets: targets))
    var lines = logins.prefix(refusalsMax).flatMap { login -> [String] in
      let isUnread = login.target.map(unread.contains) ?? false
      let remedy = isUnread ? "swift-tgtadm doctor" : examination.remedy(for: login)
      return [
        "refused: \(login.words.printable)",
        "  \(Quantity.times(login.count)), last at \(Quantity.time(login.at) ?? "-"): "
          + login.message.printable,
        "  what to do: \(remedy.printable)",
      ]
    }
    let rest = logins.count - refusalsMax
    if rest > 0 { lines.append("refused: \(rest) more in the last hour: swift-tgtadm doctor") }
    return lines.map { $0 + "\n" }.joined()
  }

  /// It may be meant so.
  private static func unsaved(_ status: StatusResource) -> String {
    guard status.hasUnsavedChanges else { return "" }
    return "note: what runs was not all written to the file\n"
      + "  what to do: swift-tgtadm config diff shows it, swift-tgtadm config save writes it\n"
  }
}
