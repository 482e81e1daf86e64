internal import AdministrationModel

/// `tpg1` of a target: its access as targetcli sees it, put together from what the daemon says and
/// from the notes.
struct PortalGroup: Equatable {
  var target: String
  var luns: [MappedLUN] = []
  var acls: [NodeACL] = []
  /// Those of the target itself, or else of whoever has no entry of its own.
  var auth = Credentials()
  /// Those of the target itself as the daemon has them, without what waits.
  var presentAuth = Credentials()
  /// The mutual user of a target without users: it holds with those of entries, or waits for them.
  var targetMutual = CHAPUser()
  /// How many users stand with the target itself, as other tools put them there: `auth` has the
  /// first of them.
  var targetUserCount = 0
  /// Of whoever has no entry of its own, beside those of the target. The daemon alone keeps them.
  var everybodyAuth = Credentials()
  /// Whom the daemon lets in, also where it should wait: another program can have added it.
  var presentACLs: [NodeACL] = []
  /// Entries with several users, as other tools put them there: here each has its first alone.
  var entriesWithUsers: Set<EntryKey> = []
  /// What the daemon has for whoever has no entry of its own: either, both or none lets it in.
  var everybodyEntry: NodeACL?
  var isOpenToAny = false
  /// As it was set; nil: never.
  var authentication: Bool?
  /// true: whoever comes to the list waits for a user, while `authentication` was never set.
  var newcomersWait: Bool?
  var generateNodeACLs = false
  /// Of whoever has no entry of its own, as other tools put them there; nil: those of the target.
  var everybodyLUNs: [MappedLUN]?
  var demoModeWriteProtect = true
  var cacheDynamicACLs = false
  var isEnabled = true
  var hasNoPortals = false

  /// Without secrets: those that the daemon keeps to itself are nil here, and stay what they are.
  init(_ resource: TargetResource, _ notes: Notes.OfTarget = Notes.OfTarget()) {
    target = resource.name
    luns = resource.luns.map { MappedLUN($0.lun, $0.store, isReadOnly: $0.readOnly) }
      .sorted { $0.number < $1.number }
    targetUserCount = resource.chapUsers.count
    authentication = notes.authentication
    newcomersWait = notes.newcomersWait
    cacheDynamicACLs = notes.cacheDynamicACLs
    isEnabled = !notes.isDisabled
    hasNoPortals = notes.hasNoPortals
    auth = notes.auth
    takeEverybody(resource, notes)
    let entries = resource.acl.filter { !$0.isEverybody }
    presentACLs = entries.map { NodeACL($0, waiting: nil) }
    entriesWithUsers = Set(
      resource.acl.filter { $0.chapUsers.count > 1 }.map { NodeACL($0, waiting: nil).key })
    acls = zip(entries, presentACLs).map { entry, present in
      let waiting = notes.acls.first { $0.key == present.key }
      var acl = NodeACL(entry, waiting: waiting?.auth)
      acl.waitsForUser = waiting?.waitsForUser
      return acl
    }
    let present = Set(presentACLs.map(\.key))
    // Entries that another program has removed stay out.
    let waiting = notes.acls.filter { $0.isServed != true && !present.contains($0.key) }
    acls = acls.inserting(waiting, in: notes.order ?? [])
  }

  /// Whoever has no entry of his own.
  private mutating func takeEverybody(_ resource: TargetResource, _ notes: Notes.OfTarget) {
    generateNodeACLs = notes.generateNodeACLs
    demoModeWriteProtect = notes.demoModeWriteProtect
    everybodyLUNs = notes.everybodyLUNs
    isOpenToAny = resource.isOpenToAny
    var waiting = auth
    presentAuth = Credentials(
      daemon: resource.chapUsers, resource.mutualCHAPUser, waiting: nil)
    if hasTargetUsers {
      if let mutual = notes.targetMutual { waiting.mutual = mutual }
      auth = Credentials(daemon: resource.chapUsers, resource.mutualCHAPUser, waiting: waiting)
    } else {
      let isPresent = !presentAuth.mutual.isEmpty
      targetMutual = isPresent ? presentAuth.mutual : notes.targetMutual ?? CHAPUser()
    }
    if let everybody = resource.acl.first(where: \.isEverybody) {
      everybodyEntry = NodeACL(everybody, waiting: nil)
      generateNodeACLs = true
      demoModeWriteProtect = everybody.readOnly
      everybodyLUNs = everybody.mappedLUNs
      let own = Credentials(
        daemon: everybody.chapUsers, everybody.mutualCHAPUser,
        waiting: hasTargetUsers ? nil : waiting)
      if hasTargetUsers { everybodyAuth = own } else { auth = own }
    } else if isOpenToAny {
      generateNodeACLs = true
      demoModeWriteProtect = false
      everybodyLUNs = nil
    }
  }

  /// `auth` as people see and set it: the mutual user of a target without users is in it, unless
  /// whoever has no entry of its own has another.
  var shownAuth: Credentials {
    get { showsTargetMutual ? Credentials(user: auth.user, mutual: targetMutual) : auth }
    set {
      if showsTargetMutual {
        (auth.user, targetMutual) = (newValue.user, newValue.mutual)
      } else {
        auth = newValue
      }
    }
  }

  private var showsTargetMutual: Bool { auth.mutual.isEmpty && !targetMutual.isEmpty }

  /// Users stand with the target itself, before `auth` was edited.
  var hasTargetUsers: Bool { targetUserCount > 0 }

  /// Users stand with the target itself, as `auth` is now.
  var asksTargetUsers: Bool { targetUserCount > 1 || hasTargetUsers && auth.user.isComplete }

  /// Whether users are asked for: as it was set, else whether there are some, or somebody waits for
  /// one, or will. Where there are, they are asked for in any case.
  var asksUsers: Bool { (authentication ?? isWaitedForUsers) || hasUsers }

  private var isWaitedForUsers: Bool {
    newcomersWait == true || acls.contains { $0.waitsForUser == true }
  }

  /// Somebody has a user.
  var hasUsers: Bool {
    asksTargetUsers || generateNodeACLs && auth.user.isComplete
      || acls.contains { $0.auth.user.isComplete }
  }

  /// Somebody who gets in no more, and whose secret is not known: it could not be put back.
  var userLost: String? {
    var waiting = acls.filter { entry(of: $0) == nil }.map(\.auth)
    if everybody == .nobody, !hasTargetUsers { waiting.append(auth) }
    if let mutual = waitingTargetMutual { waiting.append(Credentials(mutual: mutual)) }
    return waiting.flatMap { [$0.user, $0.mutual] }.first { $0.isUnknown }?.userid
  }

  /// A user, or a mutual one, of everybody whom the daemon lets in: it could not be told from those
  /// of the target afterwards.
  func everybodyLost(from old: PortalGroup) -> String? {
    guard everybody == .nobody, old.presentEverybody != .nobody else { return nil }
    return old.everybodyAuth.user.userid ?? old.everybodyAuth.mutual.userid
  }

  /// Entries with several users that would have to wait, or would get another user: all but one
  /// of their users would be lost. One that is deleted goes with all of them.
  func usersLost(from old: PortalGroup) -> Set<EntryKey> {
    let wanted = Dictionary(entries.map { ($0.key, $0.auth.user) }) { first, _ in first }
    var changed = Set(old.presentACLs.filter { wanted[$0.key] != $0.auth.user }.map(\.key))
      .intersection(acls.map(\.key))
    if everybody.user != old.presentEverybody.user { changed.insert(.everybody) }
    return changed.intersection(old.entriesWithUsers)
  }

  /// What of `auth` the daemon is not given.
  private var waitingAuth: Credentials {
    guard hasTargetUsers else {
      return everybody == .nobody ? auth : auth.waiting(besideOthers: false)
    }
    var waiting = auth.waiting(besideOthers: asksFurtherUsers)
    if waitingTargetMutual != nil { waiting.mutual = CHAPUser() }
    return waiting
  }

  /// The mutual user of the target itself, where nobody has a user any more with whom it holds. Not
  /// one of `waitingAuth`: that may come to be of whoever has no entry of its own.
  private var waitingTargetMutual: CHAPUser? {
    guard !asksTargetUsers, servedTargetAuth.mutual.isEmpty else { return nil }
    let mutual = hasTargetUsers ? auth.mutual : targetMutual
    return mutual.isEmpty ? nil : mutual
  }

  /// What of this the daemon has no place for.
  var notes: Notes.OfTarget {
    var notes = Notes.OfTarget()
    notes.authentication = authentication
    notes.newcomersWait = newcomersWait
    notes.cacheDynamicACLs = cacheDynamicACLs
    // Whoever gets in, the daemon knows: another program may shut them out.
    notes.generateNodeACLs = generateNodeACLs && everybody == .nobody
    notes.demoModeWriteProtect = demoModeWriteProtect
    notes.isDisabled = !isEnabled
    notes.hasNoPortals = hasNoPortals
    notes.auth = waitingAuth
    notes.targetMutual = waitingTargetMutual
    notes.everybodyLUNs = everybody == .nobody ? everybodyLUNs : nil
    notes.acls = acls.compactMap { acl in
      if entry(of: acl) == nil { return acl }
      var rest = NodeACL(acl.wwn)
      rest.addresses = acl.addresses
      rest.isServed = true
      rest.auth = acl.auth.waiting(besideOthers: asksTargetUsers)
      return rest.auth.isEmpty ? nil : rest
    }
    notes.order = keptOrder
    return notes
  }
}

extension NodeACL {
  init(_ entry: AccessEntryResource, waiting: Credentials?) {
    wwn = entry.initiator
    addresses = entry.addresses
    auth = Credentials(daemon: entry.chapUsers, entry.mutualCHAPUser, waiting: waiting)
    luns = entry.mappedLUNs
    isReadOnly = entry.readOnly
  }
}

extension AccessEntryResource {
  /// Whoever matches no entry before it.
  var isEverybody: Bool { initiator == "any" && addresses.isEmpty }

  fileprivate var mappedLUNs: [MappedLUN]? {
    luns?.map { MappedLUN($0.lun, $0.store, isReadOnly: $0.readOnly) }
      .sorted { $0.number < $1.number }
  }
}
