/// A value of a node, as `get` shows it.
struct Setting: Equatable {
  var name: String
  var value: String
  var isWritable = true
  var meaning: String

  init(_ name: String, _ value: String, isWritable: Bool = true, _ meaning: String? = nil) {
    self.name = name
    self.value = value
    self.isWritable = isWritable
    self.meaning = meaning ?? "The \(name) setting."
  }
}

/// The groups of values that a node has.
enum SettingGroup: String {
  case alua, attribute, auth, global, parameter
  case discoveryAuth = "discovery_auth"

  static func all(of kind: NodeKind) -> [SettingGroup] {
    switch kind {
    case .root, .backstores, .plugin, .alua, .portal, .mappedLUN, .target: [.global]
    case .storageObject: [.attribute, .global]
    case .aluaGroup, .lun: [.alua, .global]
    case .iscsi: [.discoveryAuth, .global]
    // The lists of a portal group pass on what the group has: guides set it there.
    case .group, .luns, .acls, .portals: [.attribute, .auth, .global, .parameter]
    case .acl: [.attribute, .auth, .global, .parameter]
    }
  }
}

extension NodeKind {
  /// Whose values these are.
  var settingsOwner: NodeKind {
    switch self {
    case .luns(let target), .acls(let target), .portals(let target): .group(target)
    default: self
    }
  }
}

extension SettingGroup {
  /// What may be set, without asking the daemon.
  func names(of kind: NodeKind) -> [String] {
    switch (self, kind.settingsOwner) {
    case (.global, _): Preferences.known.keys.sorted()
    case (.auth, _): Credentials.parameters
    case (.discoveryAuth, _): (Credentials.parameters + ["enable"]).sorted()
    case (.attribute, .group): GroupAttributes.names
    case (.attribute, .storageObject): StoreAttributes.names
    case (.attribute, _): FixedValues.acl.keys.sorted()
    case (.parameter, _): SessionParameters.names
    case (.alua, _): []
    }
  }
}
