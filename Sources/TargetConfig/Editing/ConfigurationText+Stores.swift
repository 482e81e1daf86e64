// Stores and portals.

extension ConfigurationText {
  public mutating func addStore(
    _ name: String, _ store: NewStore
  ) throws(ConfigurationEditError) {
    if let node = whole.node["stores"]?[name] {
      throw ConfigurationEditError(
        .conflict, node.path, "there is a store of that name already",
        remedy: "take another name, or remove that one first; swift-tgtadm store show "
          + FilePath.shellQuoted(name) + " tells what it is")
    }
    if whole.node["stores"] == nil {
      let stores = ConfigurationValue.object([.init(name, store.value)])
      try apply(.add(ConfigurationPath([.key("stores")]), stores))
    } else {
      try apply(.add(ConfigurationPath([.key("stores"), .key(name)]), store.value))
    }
  }

  /// Refused while a target presents the store.
  public mutating func removeStore(_ name: String) throws(ConfigurationEditError) {
    let store = try store(name)
    let users = luns(of: name).map(\.node.path)
    guard users.isEmpty else {
      let shown = users.prefix(4).joined(separator: ", ")
      let rest = users.count > 4 ? " and \(users.count - 4) more" : ""
      throw store.error(.conflict, "is presented by \(shown)\(rest): remove these LUNs first")
    }
    try apply(.remove(store.path))
  }

  /// As in the file: `"64MiB"`.
  public mutating func setStoreSize(
    _ size: String, of name: String
  ) throws(ConfigurationEditError) {
    let store = try store(name)
    guard store.node["block"] == nil else {
      throw store.error(.invalid, at: "size", "the size of a block device is its own")
    }
    try set("size", .text(size), of: store, .store)
  }

  /// Sets any key of a store; nil removes it, so that its default counts.
  public mutating func setStore(
    _ key: String, _ value: ConfigurationValue?, of name: String
  ) throws(ConfigurationEditError) {
    try set(key, value, of: try store(name), .store)
  }

  /// Every LUN that presents a store, in targets and in entries of their access lists.
  private func luns(of store: String) -> [EditPlace] {
    let targets = whole.elements("targets")
    let places = targets + targets.flatMap { $0.elements("acl") }
    return places.flatMap { $0.elements("luns") }.filter { $0.presentedStore == store }
  }

  // MARK: Portals

  /// Where the file names no portals the standard ones are written too: they go on.
  public mutating func addPortal(_ portal: NewPortal) throws(ConfigurationEditError) {
    let endpoint = try Self.endpoint(portal.address)
    let path = ConfigurationPath([.key("portals")])
    guard whole.node["portals"] != nil else {
      let standard = TargetConfiguration.Portal.standard.map(\.endpoint)
      if standard.contains(endpoint) {
        throw ConfigurationEditError(
          .conflict, "portals", "\(endpoint) is a portal already", remedy: Self.takenRemedy)
      }
      return try apply(.add(path, .list(standard.map { .text("\($0)") } + [portal.value])))
    }
    if let taken = portals().first(where: { $0.endpoint == endpoint }) {
      throw taken.place.error(
        .conflict, "\(endpoint) is a portal already", remedy: Self.takenRemedy)
    }
    try apply(.insert(path, portal.value))
  }

  public mutating func removePortal(_ address: String) throws(ConfigurationEditError) {
    let endpoint = try Self.endpoint(address)
    let standard = TargetConfiguration.Portal.standard.map(\.endpoint)
    let present = whole.node["portals"] == nil ? standard : portals().map(\.endpoint)
    let unknown = ConfigurationEditError(
      .notFound, "portals",
      "\(endpoint) is no portal \(Absence.list("portals", present.map { "\($0)" }))")
    guard whole.node["portals"] != nil else {
      guard standard.contains(endpoint) else { throw unknown }
      let rest = standard.filter { $0 != endpoint }.map { ConfigurationValue.text("\($0)") }
      return try apply(.add(ConfigurationPath([.key("portals")]), .list(rest)))
    }
    guard let found = portals().first(where: { $0.endpoint == endpoint }) else { throw unknown }
    try apply(.remove(found.place.path))
  }

  private static let takenRemedy =
    "for another group remove it first; swift-tgtadm portal list shows them"

  private func portals() -> [(endpoint: Endpoint, place: EditPlace)] {
    whole.elements("portals").compactMap { place in
      guard let text = (place.node["address"] ?? place.node).text,
        let endpoint = try? Endpoint(parsing: text)
      else { return nil }
      return (endpoint, place)
    }
  }

  private static func endpoint(_ address: String) throws(ConfigurationEditError) -> Endpoint {
    do throws(Endpoint.ParseError) {
      return try Endpoint(parsing: address)
    } catch {
      throw ConfigurationEditError(
        .invalid, "portals", "\(address.quoted) \(error.sentence)")
    }
  }
}

extension EditPlace {
  /// The store of a LUN, under either spelling of the key.
  var presentedStore: String? { (node["store"] ?? node["as"])?.text }
}
