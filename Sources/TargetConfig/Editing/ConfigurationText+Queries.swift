// What somebody who is about to edit has to know.

extension ConfigurationText {
  public func hasTarget(_ name: String) -> Bool { (try? target(name)) != nil }

  /// As the file writes it: the kind of the medium and, where it has one, the path.
  public func medium(ofStore name: String) -> (keyword: String, path: String?)? {
    guard let node = (try? store(name))?.node,
      let medium = ["file", "block", "memory", "null"].first(where: { node[$0] != nil })
    else { return nil }
    return (medium, node[medium]?.text)
  }

  /// The lowest number from 1 on that no LUN of the target, or of that entry of its access list,
  /// has. LUN 0 is left to who asks for it: some initiators treat it as the array's own.
  public func freeLUN(
    target name: String, entry: AccessEntryName? = nil
  ) throws(ConfigurationEditError) -> UInt16 {
    let place = try presenter(target: name, entry: entry)
    let taken = Set(place.elements("luns").compactMap { $0.node["lun"]?.integer })
    guard
      let free = (1...TargetConfiguration.LUN.numberMax).first(where: { !taken.contains(Int64($0)) }
      )
    else {
      throw place.error(.conflict, at: "luns", "every LUN number is taken")
    }
    return free
  }
}
