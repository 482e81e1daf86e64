/// The names a login gives, before anything is known of it: for the log, not for decisions.
public struct LoginClaim: Hashable, Sendable {
  public private(set) var initiatorName: String?
  public private(set) var targetName: String?

  init() {}

  init(_ keys: TextKeys) {
    initiatorName = keys["InitiatorName"].flatMap { ISCSIName.normalized($0) }
    targetName = keys["TargetName"].flatMap { ISCSIName.normalized($0) }
  }
}
