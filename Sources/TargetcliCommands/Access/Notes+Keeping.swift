internal import AdministrationModel
internal import FoundationEssentials

// Notes as the daemon keeps them, as JSON, one for each part that changes by itself:
//
//   targetcli/target/IQN/settings     what was set of a portal group, and a mutual user
//   targetcli/target/IQN/auth         half users of a portal group
//   targetcli/target/IQN/acl/WWN      an initiator that does not get in, or waits for half a user
//   targetcli/discovery/settings      whether discovery asks for users
//   targetcli/discovery/auth          half users of discovery

extension Notes {
  static let prefix = "targetcli/"
  private static let targetPrefix = "targetcli/target/"
  private static let discoveryPrefix = "targetcli/discovery/"

  init(_ kept: [LongNote]) throws(ExecutionError) {
    for note in kept {
      if note.key.hasPrefix(Self.targetPrefix) {
        try take(note, ofTarget: String(note.key.dropFirst(Self.targetPrefix.count)))
      } else if note.key == Self.discoveryPrefix + "settings" {
        discovery.isEnabled = try Self.value(OfDiscovery.self, note).isEnabled
      } else if note.key == Self.discoveryPrefix + "auth" {
        discovery.auth = try Self.value(Credentials.self, note)
      }
    }
  }

  private mutating func take(_ note: LongNote, ofTarget rest: String) throws(ExecutionError) {
    let parts = rest.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return }
    var target = targets[String(parts[0])] ?? OfTarget()
    switch parts[1] {
    case "settings":
      let settings = try Self.value(OfTarget.self, note)
      (target, target.auth, target.acls) = (settings, target.auth, target.acls)
    case "auth": target.auth = try Self.value(Credentials.self, note)
    default: target.acls += try Self.value([NodeACL].self, note)
    }
    targets[String(parts[0])] = target
  }

  private static func value<Value: Decodable>(
    _ type: Value.Type, _ note: LongNote
  ) throws(ExecutionError) -> Value {
    guard let value = try? JSONDecoder().decode(type, from: Data(note.text.utf8)) else {
      throw ExecutionError("The daemon's note \(note.key) cannot be understood.")
    }
    return value
  }

  /// What brings the daemon's notes from `kept` to these.
  func changes(from kept: [LongNote]) throws(ExecutionError) -> [Change] {
    let wanted = try notes
    let names = Set(wanted.map(\.key))
    let gone = kept.filter { !names.contains($0.key) }
    return gone.flatMap(\.erasure)
      + wanted.flatMap { note in note.changes(from: kept.first { $0.key == note.key }) }
  }

  private var notes: [LongNote] {
    get throws(ExecutionError) {
      var notes: [LongNote] = []
      for (name, target) in targets.sorted(by: { $0.key < $1.key }) {
        let key = Self.targetPrefix + name
        var settings = target
        settings.auth = Credentials()
        settings.acls = []
        if settings != OfTarget() { notes.append(try Self.note(key + "/settings", settings)) }
        if !target.auth.isEmpty { notes.append(try Self.note(key + "/auth", target.auth)) }
        var seen: Set<String> = []
        for acl in target.acls where seen.insert(acl.wwn).inserted {
          let same = target.acls.filter { $0.wwn == acl.wwn }
          notes.append(try Self.note(key + "/acl/" + acl.wwn, same))
        }
      }
      if discovery.isEnabled {
        let settings = OfDiscovery(isEnabled: true)
        notes.append(try Self.note(Self.discoveryPrefix + "settings", settings))
      }
      if !discovery.auth.isEmpty {
        notes.append(try Self.note(Self.discoveryPrefix + "auth", discovery.auth))
      }
      return notes
    }
  }

  /// Secret, whatever it holds: most of them hold users.
  private static func note(
    _ key: String, _ value: some Encodable
  ) throws(ExecutionError) -> LongNote {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      throw ExecutionError("\(key) cannot be written as JSON")
    }
    return LongNote(key: key, text: String(decoding: data, as: UTF8.self), isSecret: true)
  }
}
