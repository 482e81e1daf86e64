public import AdministrationModel
public import TargetConfig

// What somebody asks for by its name.

extension TargetConfiguration {
  /// All, or the one of that name, which is compared in lower case (RFC 7143 §4.2.7.2); it throws
  /// `notFound`.
  public func targets(named name: String?) throws(AdministrationError) -> [Target] {
    guard let name else { return targets }
    guard let target = target(named: ISCSIName.normalized(name)) else {
      throw .missing("target", name, of: targets.map(\.name))
    }
    return [target]
  }

  /// All, or the one of that name; it throws `notFound`.
  public func stores(named name: String?) throws(AdministrationError) -> [Store] {
    guard let name else { return stores }
    guard let store = store(named: name) else {
      throw .missing("store", name, of: stores.map(\.name))
    }
    return [store]
  }
}

extension AdministrationError {
  /// In the words of a change that names what there is not. `what` is a noun.
  public static func missing(
    _ what: String, _ name: String, of names: [String]
  ) -> AdministrationError {
    AdministrationError(.notFound, Absence.sentence(what, name, of: names), path: "\(what)s")
  }
}
