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

// MARK: Names

extension ConfigurationText {
  /// A message with the places in this text as people know them: `targets[iqn.…].luns[3]` for
  /// `targets[0].luns[2]`. What has no name, or is not there, keeps its index.
  public func naming(placesIn message: String) -> String {
    var out = ""
    var rest = message[...]
    while let start = rest.firstRange(of: "targets[") {
      out += rest[..<start.lowerBound]
      rest = rest[start.lowerBound...]
      var node = whole.node
      while let step = ListStep(rest), let element = step.element(of: node) {
        out += "\(step.word)[\(step.name(of: element) ?? "\(step.index)")]"
        rest = step.rest
        node = element
      }
      guard rest.startIndex == start.lowerBound else { continue }
      // No such element: the word stays as it is.
      out += rest[start]
      rest = rest[start.upperBound...]
    }
    return out + rest
  }
}

/// An element of a list at the beginning of a text: `targets[0]`, `.luns[2]`.
private struct ListStep {
  /// The member that names an element of these lists.
  private static let nameKeys = [
    "targets": "name", "luns": "lun", "acl": "initiator", "chap": "user",
  ]

  /// With the dot, if there is one.
  let word: Substring
  let index: Int
  let rest: Substring

  private var list: String { String(word.first == "." ? word.dropFirst() : word) }

  init?(_ text: Substring) {
    guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]"),
      let index = Int(text[open...].dropFirst().prefix(upTo: close))
    else { return nil }
    word = text[..<open]
    self.index = index
    rest = text[close...].dropFirst()
    guard Self.nameKeys[list] != nil else { return nil }
  }

  func element(of node: DocumentNode) -> DocumentNode? {
    guard let found = node[list], case .list = found.value.content else { return nil }
    return found.child(at: index)
  }

  func name(of element: DocumentNode) -> String? {
    guard let key = Self.nameKeys[list], let name = element[key] else { return nil }
    return name.text ?? name.integer.map { "\($0)" }
  }
}
