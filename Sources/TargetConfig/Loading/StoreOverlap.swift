/// Finds stores that are one and the same behind links, mounts or device aliases.
public enum StoreOverlap {
  /// One problem for each store whose medium an earlier one has already, with its place in the
  /// file. An identity is what a medium turns out to be once it is found, the same for every path
  /// there.
  public static func problems<Identity: Hashable>(
    among stores: [(name: String, identity: Identity)], in loaded: LoadedConfiguration
  ) -> [ConfigurationProblem] {
    var owners: [Identity: String] = [:]
    var problems: [ConfigurationProblem] = []
    for (name, identity) in stores {
      guard let owner = owners[identity] else {
        owners[identity] = name
        continue
      }
      let medium = loaded.configuration.store(named: name)?.medium
      let path = medium?.path ?? ""
      problems.append(
        loaded.problem(
          .conflict, at: "stores.\(name).\(medium?.keyword ?? "file")",
          "\(path.quoted) is the medium of the store \(owner.quoted) under another name: "
            + "two stores on it would destroy each other's data"))
    }
    return problems
  }
}
