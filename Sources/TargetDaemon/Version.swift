/// The version of the program, wherever it is shown.
public enum Version {
  public static let text = "0.1.0"
  /// PRODUCT REVISION LEVEL of INQUIRY has four characters (SPC-4 §6.6.2).
  static let productRevision = "0.1"
}
