/// Where the daemon is found.
public enum AdministrationSocket {
  public static let standardPath = "/run/swift-tgtd/admin.sock"
  /// Names another path, unless a program was given one.
  public static let environmentVariable = "SWIFT_TGTD_SOCKET"
}
