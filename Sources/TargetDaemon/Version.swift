internal import AdministrationModel

extension Version {
  /// PRODUCT REVISION LEVEL of INQUIRY has four characters (SPC-4 §6.6.2).
  static let productRevision = "0.1"
}
