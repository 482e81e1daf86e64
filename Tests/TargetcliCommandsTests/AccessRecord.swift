import AdministrationModel
import TargetConfig

/// What lines of targetcli and other programs have said of who may get in, which judges who does.
struct AccessRecord {
  /// The initiators of the list, as the last line left it, and whether each may only read.
  private var listed: [EntryKey: Bool] = [:]
  /// Those that other programs have let in since, likewise.
  private var added: [EntryKey: Bool] = [:]
  /// Those that the daemon let in after the last line. Of others targetcli cannot know that another
  /// program has shut them out.
  private var served: Set<EntryKey> = []
  /// Whether everybody was let in, who has no entry of its own: as the last line left it.
  private var isOpen = false
  /// Whether another program has let everybody in since.
  private var isOpenedElsewhere = false
  /// Whether the daemon let everybody in after the last line.
  private var servesEverybody = false
  /// As it was set, by a line or by what a line told; nil: never.
  private var authentication: Bool?

  typealias Target = TargetConfiguration.Target

  // MARK: What happened

  mutating func changedElsewhere(from before: Target, to after: Target) {
    let (old, new) = (before.entriesByKey, after.entriesByKey)
    for key in old.keys where new[key] == nil {
      if added.removeValue(forKey: key) != nil { continue }
      if served.remove(key) != nil { listed[key] = nil }
    }
    for (key, entry) in new where old[key] == nil { added[key] = entry.readOnly }
    if after.letsInEverybody {
      isOpenedElsewhere = isOpenedElsewhere || !before.letsInEverybody
    } else {
      if servesEverybody { isOpen = false }
      (servesEverybody, isOpenedElsewhere) = (false, false)
    }
  }

  private mutating func take(_ line: AccessLine, _ remarks: String) {
    listed.merge(added) { _, later in later }
    added = [:]
    if isOpenedElsewhere { (isOpen, isOpenedElsewhere) = (true, false) }
    if remarks.contains("users are asked for here (authentication=1)") { authentication = true }
    switch line {
    case .create(let name): listed[EntryKey(initiator: name, addresses: [])] = false
    case .delete(let name): listed = listed.filter { $0.key.initiator != name }
    case .authentication(let isAsked): authentication = isAsked
    case .generateNodeACLs(let isWelcome): isOpen = isWelcome
    default: break
    }
  }

  // MARK: What is wrong

  /// What a line that succeeded may not have done; nil: nothing.
  mutating func complaint(
    about line: AccessLine, remarks: String, from before: Target, to after: Target
  ) -> String? {
    let asked = authentication
    take(line, remarks)
    let complaint =
      stranger(after) ?? unproven(line, before, after)
      ?? newcomer(line, asked: asked, before, after) ?? foreignSecret(after)
      ?? change(line, before, after)
    served = Set(after.entriesByKey.keys)
    servesEverybody = after.letsInEverybody
    return complaint
  }

  /// Nobody gets in whom nobody has let in, nor whom another program has shut out; and who may only
  /// read still may not write.
  private func stranger(_ after: Target) -> String? {
    for (key, entry) in after.entriesByKey {
      guard let isReadOnly = listed[key] else { return "\(key.words) is let in again" }
      if isReadOnly != entry.readOnly { return "\(key.words) may only read: \(isReadOnly)" }
    }
    return after.letsInEverybody && !isOpen ? "everybody is let in again" : nil
  }

  /// With authentication=1 nobody gets in without a user, and without it nobody stays who has lost
  /// its user.
  private func unproven(_ line: AccessLine, _ before: Target, _ after: Target) -> String? {
    for caller in Caller.all {
      guard let now = after.admission(of: caller), now.users.isEmpty else { continue }
      if authentication == true { return "\(caller) gets in without a user" }
      guard before.admission(of: caller)?.users.isEmpty == false else { continue }
      switch line {
      // It is as anybody else from now on.
      case .delete(caller.name): continue
      case .create(caller.name) where authentication == false: continue
      // Who waited without a user comes before whoever has no ACL.
      case .authentication(false), .enable(true): continue
      default: return "\(caller) has lost its user, and stays"
      }
    }
    return nil
  }

  /// Where there are users, and `authentication` was never set, nobody comes in without one; and by
  /// a line about LUNs nobody comes in at all.
  private func newcomer(
    _ line: AccessLine, asked: Bool?, _ before: Target, _ after: Target
  ) -> String? {
    let hasUsers = !before.chap.isEmpty || before.acl.contains { !$0.chap.isEmpty }
    let needsUser = hasUsers && asked == nil && line != .enable(true)
    guard needsUser || line.isAboutLUNs else { return nil }
    if case .authentication = line { return nil }
    return Caller.all.first {
      before.admission(of: $0) == nil && after.admission(of: $0)?.users.isEmpty == true
    }.map { "\($0) is let in without a user" }
  }

  /// Users and secrets have the name of whom they were given to.
  private func foreignSecret(_ after: Target) -> String? {
    let places =
      after.acl.map { ($0.place, $0.chap, $0.mutualChap) }
      + [(Caller.group, after.chap, after.mutualChap)]
    for (place, users, mutual) in places {
      for user in users where !user.isOf(place, "u", "s") {
        return "\(place) has the user \(user.user), or another's secret"
      }
      if let mutual, !mutual.isOf(place, "m", "r") {
        return "\(place) has the mutual user \(mutual.user), or another's secret"
      }
    }
    return nil
  }

  /// Users stay what they are unless the line is about them, and who may only read stays so.
  private func change(_ line: AccessLine, _ before: Target, _ after: Target) -> String? {
    let old = before.entriesByKey
    for entry in after.acl {
      guard let former = old[entry.key], !line.setsUsers(of: entry) else { continue }
      if !former.chap.isEmpty, former.chap != entry.chap {
        return "the user of \(entry.key.words) is another"
      }
      // A mutual user counts only where there is a user.
      let hasUser = !entry.chap.isEmpty || !after.chap.isEmpty
      if let mutual = former.mutualChap, mutual != entry.mutualChap, hasUser {
        return "the mutual user of \(entry.key.words) is another"
      }
    }
    if !line.setsUsersOfGroup, before.chap != after.chap {
      return "the users of the target are others"
    }
    return Caller.all.first { caller in
      guard let was = before.admission(of: caller), let now = after.admission(of: caller),
        was.isReadOnly, !now.isReadOnly, was.users == now.users
      else { return false }
      // An entry that comes back is judged by itself.
      if let entry = after.entry(for: caller), !before.acl.contains(where: { $0.key == entry.key })
      {
        return false
      }
      switch line {
      case .create(caller.name), .delete(caller.name), .writeProtect, .enable: return false
      default: return true
      }
    }.map { "\($0) might only read, and writes" }
  }
}
