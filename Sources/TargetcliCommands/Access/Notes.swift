internal import AdministrationModel

/// What targetcli was told and the daemon has no place for: halves of CHAP users, initiators that
/// must not get in yet, and values that mean something only together with others. The daemon keeps
/// them for as long as it runs, and takes them together with the changes that they belong to.
struct Notes: Codable, Equatable {
  var targets: [String: OfTarget] = [:]
  var discovery = OfDiscovery()

  struct OfTarget: Codable, Equatable {
    /// As it was set; nil: never.
    var authentication: Bool?
    /// true: users were asked for, and whoever comes to the list waits for one, though others of it
    /// get in without, where `authentication` was never set.
    var newcomersWait: Bool?
    /// Noted only while whoever has no ACL does not get in: otherwise the daemon knows.
    var generateNodeACLs = false
    var demoModeWriteProtect = true
    var cacheDynamicACLs = false
    var isDisabled = false
    /// Made without a portal: nobody gets in before it has one.
    var hasNoPortals = false
    /// Of the portal group: what the daemon has not.
    var auth = Credentials()
    /// Of the target itself: its mutual user, while nobody has a user.
    var targetMutual: CHAPUser?
    /// Of whoever has no entry of its own, while it does not get in; nil: those of the target.
    var everybodyLUNs: [MappedLUN]?
    /// Initiators that the daemon does not let in, or that wait for half a user.
    var acls: [NodeACL] = []
    /// The order of the whole list, where it matters and some of it waits (`keptOrder`).
    var order: [EntryKey]?
  }

  struct OfDiscovery: Codable, Equatable {
    var isEnabled = false
    var auth = Credentials()
  }

  /// Of targets that are there.
  func pruned(to names: Set<String>) -> Notes {
    var notes = self
    notes.targets = targets.filter { names.contains($0.key) && $0.value != OfTarget() }
    return notes
  }

  /// With LUNs of those stores alone: a store of a name that is free again is another one.
  func keeping(stores: Set<String>) -> Notes {
    var notes = self
    notes.targets = targets.mapValues { target in
      var target = target
      target.everybodyLUNs?.removeAll { !stores.contains($0.store) }
      for index in target.acls.indices {
        target.acls[index].luns?.removeAll { !stores.contains($0.store) }
      }
      return target
    }
    return notes
  }
}

/// An initiator of a portal group's list, as targetcli sees it.
struct NodeACL: Codable, Equatable {
  var wwn: String
  /// From where it must come; targetcli cannot set this, and keeps it.
  var addresses: [String] = []
  var auth = Credentials()
  /// nil: all LUNs of the target, under the same numbers, those to come too.
  var luns: [MappedLUN]?
  var isReadOnly = false
  /// true: does not get in without a user, though others do, where `authentication` was never set.
  var waitsForUser: Bool?
  /// true: the daemon has the entry, and this is what of its users waits. When the entry is gone,
  /// so is this.
  var isServed: Bool?

  init(_ wwn: String) { self.wwn = wwn }
}

/// A LUN of one initiator.
struct MappedLUN: Codable, Equatable {
  var number: UInt16
  var store: String
  var isReadOnly = false

  init(_ number: UInt16, _ store: String, isReadOnly: Bool = false) {
    self.number = number
    self.store = store
    self.isReadOnly = isReadOnly
  }
}
