/// The version of all programs of the package, wherever it is shown.
public enum Version {
  public static let text = "0.1.0"
}
