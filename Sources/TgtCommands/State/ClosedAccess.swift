internal import AdministrationModel
internal import FoundationEssentials

/// Who may use a target once it is ready again. While it is offline the target itself lets nobody
/// in, and this is what is bound and unbound.
struct ClosedAccess: Codable, Equatable {
  /// The target was taken offline.
  var isOffline = false
  /// All were, with the system.
  var isOfSystem = false
  var isOpenToAny = false
  var entries: [AccessEntrySpecification] = []

  var isClosed: Bool { isOffline || isOfSystem }

  /// As the target would show them.
  var shown: [AccessEntryResource] {
    entries.map { entry in
      var shown = AccessEntryResource(
        initiator: entry.initiator, addresses: entry.addresses ?? [])
      shown.chapUsers = (entry.chap ?? []).map(\.user)
      shown.mutualCHAPUser = entry.mutualCHAP?.user
      shown.readOnly = entry.readOnly ?? false
      return shown
    }
  }

  /// Does to the list what the daemon would have done to that of the target.
  mutating func apply(_ change: Change) {
    switch change {
    case .setTarget(let keys): isOpenToAny = keys.values["initiators"] == .text("any")
    case .addACLEntry(let addition):
      var entry = addition.entry
      let place = min(entry.index ?? entries.endIndex, entries.endIndex)
      entry.index = nil
      entries.insert(entry, at: place)
    case .removeACLEntry(let name): entries.removeAll { $0.isMeant(by: name.entry) }
    case .setACLEntry(let keys):
      guard let index = entries.firstIndex(where: { $0.isMeant(by: keys.entry) }),
        case .list(let addresses)? = keys.values["addresses"]
      else { return }
      entries[index].addresses = addresses.compactMap {
        if case .text(let address) = $0 { address } else { nil }
      }
    default: break
    }
  }

  // MARK: Changes of the target

  /// What takes from `target` what is noted here.
  func closing(_ target: TargetResource) -> [Change] {
    var changes: [Change] = entries.map { entry in
      let key = EntryKey(initiator: entry.initiator, addresses: entry.addresses)
      return .removeACLEntry(Change.EntryName(target: target.name, key))
    }
    if isOpenToAny {
      changes.append(.setTarget(Change.TargetKeys(target.name, ["initiators": .null])))
    }
    return changes
  }

  func opening(_ target: TargetResource) -> [Change] {
    var changes: [Change] = entries.map {
      .addACLEntry(Change.EntryAddition(target: target.name, $0))
    }
    if isOpenToAny {
      changes.append(.setTarget(Change.TargetKeys(target.name, ["initiators": .text("any")])))
    }
    return changes
  }

  // MARK: As a note

  /// What the key of its note says, after the target.
  static let part = "closed"

  init() {}

  /// nil: it is not one of these.
  init?(_ note: LongNote) {
    guard let value = try? JSONDecoder().decode(Self.self, from: Data(note.text.utf8)) else {
      return nil
    }
    self = value
  }

  func note(_ target: String) -> LongNote {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Of texts, numbers and truth values: it never fails.
    let data = (try? encoder.encode(self)) ?? Data()
    return LongNote(
      key: TgtNotes.key(ofTarget: target, Self.part),
      text: String(decoding: data, as: UTF8.self), isSecret: true)
  }
}

extension AccessEntrySpecification {
  fileprivate func isMeant(by key: EntryKey) -> Bool {
    initiator == key.initiator && (addresses ?? []) == (key.addresses ?? addresses ?? [])
  }
}
