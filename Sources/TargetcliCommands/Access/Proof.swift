internal import AdministrationModel

// Who must prove itself.

extension PortalGroup {
  /// With a user of its own, or with one of the target.
  func provesItself(_ acl: NodeACL) -> Bool { acl.auth.user.isComplete || asksTargetUsers }

  /// Whether it gets in with proof alone.
  func isAsked(_ acl: NodeACL) -> Bool { authentication ?? acl.waitsForUser ?? false }

  private var everybodyProvesItself: Bool {
    asksTargetUsers || (hasTargetUsers ? everybodyAuth : auth).user.isComplete
  }

  /// Some are asked for users, and others of the list get in without; whoever is not in it does
  /// not, and so who waits stays out.
  var isMixed: Bool { asksUsers && !unproven.isEmpty && !unproven.contains(.everybody) }

  /// Who gets in without proof, unless `authentication` or the group itself keeps it out.
  private var unproven: Set<EntryKey> {
    var keys = Set(acls.filter { !provesItself($0) && $0.waitsForUser != true }.map(\.key))
    if generateNodeACLs, !everybodyProvesItself { keys.insert(.everybody) }
    return keys
  }

  /// Where users were asked for in `old`, nobody gets in without one who did not before, whether
  /// or not `authentication` was ever set. True: so it is set now, and somebody waits for a user,
  /// or will: that users are asked for is not forgotten with the last of them.
  mutating func keepAsking(since old: PortalGroup) throws(ExecutionError) -> Bool {
    guard old.asksUsers, authentication != true else { return false }
    let (before, now) = (old.unproven, unproven)
    let opened = now.subtracting(before)
    // These get in without proof, and an edit of others must not shut them out.
    let others = now.intersection(before)
    guard !opened.isEmpty || old.asksTargetUsers && !asksTargetUsers else {
      guard authentication == nil, !hasUsers else { return false }
      guard others.isEmpty else {
        // Where whoever is not in the list gets in, none of it waits.
        if !others.contains(.everybody) { newcomersWait = true }
        return false
      }
      authentication = true
      return true
    }
    guard others.isEmpty else {
      throw ExecutionError(
        "Users are asked for here, and \(opened.words) would get in without one, as "
          + "\(others.words) can already: set attribute authentication=1 first, which lets in nobody "
          + "without a user.")
    }
    authentication = true
    return true
  }

  /// The daemon takes a user of a target as a whole, and half a user asks for nothing.
  func refuseHalfTargetUser() throws(ExecutionError) {
    guard hasTargetUsers, auth.user.isHalf else { return }
    throw ExecutionError(
      "A user of the target itself cannot be half: set userid and password in one command, to "
        + "values or both to nothing.")
  }
}
