// CHAP users, for target, entry of an access list, and discovery.

extension ConfigurationText {
  public mutating func addCHAPUser(
    _ credential: NewCredential, to place: CredentialPlace
  ) throws(ConfigurationEditError) {
    guard let found = try self.place(place) else {
      return try addDiscovery(["chap": .list([try Self.checked(credential)])])
    }
    if let taken = found.elements("chap").first(where: { $0.user == credential.user }) {
      throw taken.error(
        .conflict, "there is a user \(credential.user.quoted) already",
        remedy: "--replace gives another secret")
    }
    try append(try Self.checked(credential), to: "chap", of: found)
  }

  /// Removes a user. The last one stays unless `allowingOpenAccess`: without users nobody has to
  /// prove anything, so that taking away an account would let more in, not less. The last user of
  /// an entry always stays: what its absence means depends on the target.
  public mutating func removeCHAPUser(
    _ user: String, from place: CredentialPlace, allowingOpenAccess: Bool = false
  ) throws(ConfigurationEditError) {
    guard let found = try self.place(place) else {
      throw ConfigurationEditError(
        .notFound, "discovery", "there is no user \(user.quoted) \(Absence.list("users", []))")
    }
    let users = found.elements("chap")
    guard let credential = users.first(where: { $0.user == user }) else {
      let names = Absence.list("users", users.compactMap(\.user))
      throw found.error(.notFound, at: "chap", "there is no user \(user.quoted) \(names)")
    }
    if users.count == 1 {
      if case .entry = place {
        throw found.error(
          .conflict, at: "chap",
          "\(user.quoted) is the only user: remove the entry, or its key \"chap\" for the "
            + "target's users")
      }
      guard allowingOpenAccess else {
        throw found.error(
          .conflict, at: "chap",
          "\(user.quoted) is the only user: without one, no authentication is needed")
      }
    }
    try apply(.remove(credential.path))
  }

  /// Takes out a list of users that is empty, and means the same as none: that of a target or of
  /// discovery, with "discovery" if that was made for it alone. What holds a comment stays.
  public mutating func removeEmptyUsers(at place: CredentialPlace) {
    guard let found = try? self.place(place), let list = found.node["chap"], isBlank(list) else {
      return
    }
    // Where it cannot be taken out it does no harm.
    try? apply(.remove(found.path.appending("chap")))
    if place == .discovery, let rest = whole.node["discovery"], isBlank(rest) {
      try? apply(.remove(found.path))
    }
  }

  /// Whether nothing stands between its brackets.
  private func isBlank(_ node: DocumentNode) -> Bool {
    node.value.children.isEmpty
      && bytes[node.value.extent].dropFirst().dropLast().allSatisfy {
        [0x09, 0x0A, 0x0D, 0x20].contains($0)
      }
  }

  /// Gives the target a user to prove itself with, in place of the one it had.
  public mutating func setMutualCHAP(
    _ credential: NewCredential, at place: CredentialPlace
  ) throws(ConfigurationEditError) {
    let value = try Self.checked(credential)
    guard let found = try self.place(place) else {
      return try addDiscovery(["mutualChap": value])
    }
    guard let old = found.node["mutualChap"] else {
      return try apply(.add(found.path.appending("mutualChap"), value))
    }
    guard case .object(let members) = value, case .object = old.value.content else {
      return try apply(.set(found.path.appending("mutualChap"), value))
    }
    // Member by member, so that comments in it stay; both or none.
    var copy = self
    for member in members {
      try copy.apply(.set(found.path.appending("mutualChap").appending(member.key), member.value))
    }
    self = copy
  }

  public mutating func clearMutualCHAP(
    at place: CredentialPlace
  ) throws(ConfigurationEditError) {
    guard let found = try self.place(place), found.node["mutualChap"] != nil else {
      throw ConfigurationEditError(
        .notFound, (try self.place(place))?.node.path ?? "discovery",
        "there is no \"mutualChap\"")
    }
    try apply(.remove(found.path.appending("mutualChap")))
  }

  private mutating func addDiscovery(
    _ members: KeyValuePairs<String, ConfigurationValue>
  ) throws(ConfigurationEditError) {
    let value = ConfigurationValue.object(members.map { .init($0.key, $0.value) })
    try apply(.add(ConfigurationPath([.key("discovery")]), value))
  }

  /// A secret that is not text cannot stand in the file.
  static func checked(
    _ credential: NewCredential
  ) throws(ConfigurationEditError) -> ConfigurationValue {
    if case .text(let secret) = credential.secret,
      String(validating: secret.bytes, as: UTF8.self) == nil
    {
      throw ConfigurationEditError(
        .invalid, "", "the secret is not UTF-8 text: put it into a file of its own")
    }
    return credential.value
  }
}

extension EditPlace {
  fileprivate var user: String? { node["user"]?.text }
}
