internal import AdministrationModel
internal import CommandSupport

// What goes, and what else is done to targets that are there.

extension TgtAdminRun {
  /// After --execute: targets of which the file says nothing. A file that has no target says
  /// nothing of any.
  mutating func removeTargets(besides configuration: TgtAdminConfiguration) async throws(End) {
    guard !configuration.targets.isEmpty else { return }
    let names = Set(configuration.targets.map { $0.name.lowercased() })
    if !options.isPretended { try await look() }
    for target in present.state.targets where !names.contains(target.name) {
      _ = try await delete(target.name)
    }
  }

  /// Whether it stays because it is in use.
  mutating func delete(_ name: String) async throws(End) -> Bool {
    guard let number = present.state.tids[name.lowercased()] else {
      comment("Target with name \(name) does not exist!")
      return false
    }
    let sessions = present.sessions(of: name.lowercased())
    if !sessions.isEmpty, !options.isForced {
      var word = "deleted"
      if case .update = options.action { word = "updated" }
      comment("Target with tid \(number) (\(name)) is in use, it won't be \(word).")
      complain("\(name) is in use and was not \(word) (--force does it, and ends its sessions)")
      return true
    }
    comment("Removing target: \(name)")
    if !sessions.isEmpty { try await expel(name, number) }
    try await execute(
      TgtadmCommand(controlPort, "--mode target --op delete --tid=\(number)"))
    comment("")
    return false
  }

  /// First nobody gets in again, then whoever is in goes.
  private mutating func expel(_ name: String, _ number: Int) async throws(End) {
    let target = present.state.targets.first { $0.name == name.lowercased() }
    for rule in target.map({ AccessRule.listed($0) }) ?? [] {
      var option = "-I"
      if case .name = rule { option = "-Q" }
      try await execute(
        TgtadmCommand(
          controlPort, "--op unbind --mode target --tid \(number) \(option) \(rule.text)"))
    }
    for session in present.sessions(of: name.lowercased()) {
      // The other connections go with the first.
      guard let connection = session.connections.first else { continue }
      try await execute(
        TgtadmCommand(
          controlPort,
          "--op delete --mode conn --tid \(number) --sid \(session.id) --cid \(connection.cid)"))
    }
  }

  mutating func deleteTargets(_ which: String) async throws(End) {
    try await look()
    if which == "ALL" {
      for target in present.state.targets { _ = try await delete(target.name) }
    } else if let number = Self.number(which) {
      guard let name = name(number) else {
        return comment("Target with tid \(number) does not exist!")
      }
      _ = try await delete(name)
    } else {
      _ = try await delete(which)
    }
  }

  mutating func setState(_ state: String, of which: String) async throws(End) {
    try await look()
    var numbers: [Int] = []
    if which == "ALL" {
      numbers = present.state.targets.map { present.state.tid($0.name) }
    } else if let number = Self.number(which) {
      numbers = [number]
    } else if let number = present.state.tids[which.lowercased()] {
      numbers = [number]
    } else {
      throw refusal("There is no target with name \"\(which)\", can't \(state) it!\n")
    }
    for number in numbers {
      try await execute(
        TgtadmCommand(
          controlPort, "--op update --mode target --tid=\(number) -n state -v \(state)"))
    }
  }

  static func number(_ which: String) -> Int? {
    which.hasPrefix("tid=") ? Int(which.dropFirst(4)) : nil
  }

  func name(_ number: Int) -> String? {
    present.state.tids.first { $0.value == number }?.key
  }

  // MARK: --dump

  mutating func dump() async throws(End) {
    try await look()
    guard !present.state.targets.isEmpty else { return }
    write("default-driver iscsi\n\n")
    for target in present.state.targets {
      var lines = ["<target \(target.name)>"]
      for lun in target.luns {
        let path = present.state.stores[lun.store]?.path
        if let path { lines.append("\tbacking-store \(path)") }
      }
      let password = "PLEASE_CORRECT_THE_PASSWORD"
      for user in target.chapUsers { lines.append("\tincominguser \(user) \(password)") }
      if let user = target.mutualCHAPUser { lines.append("\toutgoinguser \(user) \(password)") }
      let rules = AccessRule.listed(target)
      for rule in rules where rules != [.all] {
        if case .name(let name) = rule {
          lines.append("\tinitiator-name \(name)")
        } else {
          lines.append("\tinitiator-address \(rule.text)")
        }
      }
      write(lines.map(\.printableWithTabs).joined(separator: "\n") + "\n</target>\n\n")
    }
  }
}

extension String {
  fileprivate var printableWithTabs: String {
    hasPrefix("\t") ? "\t" + String(dropFirst()).printable : printable
  }
}
