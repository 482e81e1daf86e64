/// That nothing has a name, and which names there are.
public enum Absence {
  private static let namesShownMax = 8
  /// Among more, nobody waits until each is compared.
  private static let namesComparedMax = 1024

  /// `what` is a noun. Of many names, those that are most like the one that was given; without
  /// `comparing`, for who has thousands of such sentences to say, the first.
  public static func sentence(
    _ what: String, _ name: String, of names: [String], comparing: Bool = true
  ) -> String {
    let ranked = comparing ? nearest(to: name, among: names) : names
    return "no \(what) named \(name.quoted) \(list("\(what)s", ranked))"
  }

  /// What there is instead, in brackets: the first of many. `what` is a noun in the plural.
  static func list(_ what: String, _ names: [String]) -> String {
    guard !names.isEmpty else { return "(there are no \(what))" }
    let shown = names.prefix(namesShownMax).map(\.shortened).joined(separator: ", ")
    let rest = names.count > namesShownMax ? " and \(names.count - namesShownMax) more" : ""
    return "(\(what): \(shown)\(rest))"
  }

  private static func nearest(to name: String, among names: [String]) -> [String] {
    guard names.count > namesShownMax, names.count <= namesComparedMax,
      name.utf8.count <= ISCSIName.byteCountMax
    else { return names }
    let wanted = Array(name.utf8)
    return names.map { (name: $0, distance: EditDistance.between(wanted, Array($0.utf8))) }
      .sorted { $0.distance < $1.distance }.map(\.name)
  }
}
