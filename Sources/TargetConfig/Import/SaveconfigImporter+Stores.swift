extension SaveconfigImporter {
  mutating func addStore(_ node: DocumentNode) {
    guard let plugin = node["plugin"]?.string, let name = node["name"]?.string else {
      note(node, "a storage object without \"plugin\" and \"name\": left out")
      return
    }
    let key = Self.key(plugin, name)
    stores[key] = ""
    guard var wish = wish(node, plugin: plugin, name: name) else { return }
    let attributes = node["attributes"]
    wish.blockSize = attributes?["block_size"].map { $0.unsigned.flatMap { Int(exactly: $0) } ?? 0 }
    if let attributes {
      setDiscard(&wish, attributes)
      setRotation(&wish, attributes)
    }
    identify(&wish, node, plugin: plugin, name: name)
    let store = draft.add(wish, place(node)) ?? ""
    stores[key] = store
    supplementStore(store)
    if let attributes { tellAttributes(attributes, of: name) }
    tellGroups(node["alua_tpgs"], of: name)
    let known: Set<String> = [
      "name", "plugin", "attributes", "alua_tpgs", "wwn", "dev", "size", "write_back", "readonly",
      "nullio", "aio", "exclusive",
    ]
    tellOthers(node, known, "the storage object \(name.quoted)")
  }

  /// Plugins had other names in old files.
  static func key(_ plugin: String, _ name: String) -> String {
    let plain =
      switch plugin {
      case "rd_mcp": "ramdisk"
      case "iblock": "block"
      default: plugin
      }
    return "\(plain)/\(name)"
  }

  private mutating func wish(
    _ node: DocumentNode, plugin: String, name: String
  ) -> StoreWish? {
    let path = node["dev"]?.string ?? ""
    switch plugin {
    case "fileio":
      var wish = StoreWish(name: name, medium: .file(path: path))
      let isCached = node["write_back"]?.flag ?? true
      let showsCache = node["attributes"]?["emulate_write_cache"]?.flag ?? isCached
      wish.cache = isCached && showsCache ? .writeback : .writethrough
      if node["aio"]?.flag == true { note(node, "aio of \(name.quoted): always so here") }
      return wish
    case "block", "iblock":
      var wish = StoreWish(name: name, medium: .block(path: path))
      wish.readOnly = node["readonly"]?.flag ?? false
      if node["exclusive"]?.flag == false {
        note(
          node,
          "exclusive of \(name.quoted) is off: a device that something else has open is refused "
            + "here")
      }
      return wish
    case "ramdisk", "rd_mcp":
      let isNull = node["nullio"]?.flag ?? false
      var wish = StoreWish(name: name, medium: isNull ? .null : .memory)
      wish.sizeBytes = node["size"]?.unsigned
      note(node, "\(name.quoted) is memory: its content does not come with the configuration")
      return wish
    default:
      note(
        node,
        "the storage object \(name.quoted) is one of \(plugin.quoted), which does not exist here: "
          + "its LUNs are left out")
      return nil
    }
  }

  private func setRotation(_ wish: inout StoreWish, _ attributes: DocumentNode) {
    if attributes["is_nonrot"]?.flag == true { wish.rotationRate = 1 }
  }

  private func setDiscard(_ wish: inout StoreWish, _ attributes: DocumentNode) {
    guard attributes["emulate_tpu"] != nil || attributes["emulate_tpws"] != nil else { return }
    let isOffered =
      attributes["emulate_tpu"]?.flag == true || attributes["emulate_tpws"]?.flag == true
    wish.discard = isOffered ? .unmap : .ignore
  }

  // MARK: Identity

  private mutating func identify(
    _ wish: inout StoreWish, _ node: DocumentNode, plugin: String, name: String
  ) {
    wish.vendor = vendors[name] ?? "LIO-ORG"
    let isAlias = node["attributes"]?["emulate_model_alias"]?.flag ?? false
    wish.product = isAlias ? String(decoding: name.utf8.prefix(16), as: UTF8.self) : nil
    if !isAlias {
      switch plugin {
      case "fileio": wish.product = "FILEIO"
      case "block", "iblock": wish.product = "IBLOCK"
      default: wish.product = "RAMDISK-MCP"
      }
    }
    if let product = products[name] { wish.product = product }
    guard let wwn = node["wwn"]?.string else {
      note(
        node, "\(name.quoted) has no \"wwn\": a new WWID is made, so initiators see a new disk")
      return
    }
    wish.naa = wwids[name] ?? LIOIdentity.naa(serial: wwn)
    wish.serial = wwn
  }

  // MARK: What is not kept

  /// Values that hold here anyway.
  private static let usual: [String: String] = [
    "emulate_3pc": "1", "emulate_caw": "1", "emulate_dpo": "1", "emulate_fua_read": "1",
    "emulate_fua_write": "1", "emulate_pr": "1", "emulate_rest_reord": "0", "emulate_rsoc": "1",
    "emulate_tas": "1", "emulate_ua_intlck_ctrl": "0", "enforce_pr_isids": "1",
    "force_pr_aptpl": "0", "pi_prot_type": "0", "pi_prot_format": "0", "pi_prot_verify": "0",
    "alua_support": "1", "pgr_support": "1",
  ]

  /// Limits that follow from the device, and what is kept or read elsewhere.
  private static let derived: Set<String> = [
    "block_size", "is_nonrot", "emulate_model_alias", "emulate_tpu", "emulate_tpws",
    "emulate_write_cache",
    "hw_block_size", "hw_max_sectors", "hw_pi_prot_type", "hw_queue_depth", "fabric_max_sectors",
  ]

  private mutating func tellAttributes(_ attributes: DocumentNode, of name: String) {
    let unkept = attributes.members.filter { key, node in
      !Self.derived.contains(key) && Self.usual[key] != (node.string ?? "")
    }.map { key, node in "\(key) \((node.string ?? node.value.kindName).shortened)" }
    guard !unkept.isEmpty else { return }
    note(
      attributes,
      "attributes of \(name.quoted) that are not kept, because limits follow from the medium here "
        + "and the rest cannot be chosen: \(unkept.joined(separator: ", "))")
  }

  private mutating func tellGroups(_ groups: DocumentNode?, of name: String) {
    for group in groups?.elements ?? [] {
      let isDefault = group["name"]?.string == "default_tg_pt_gp"
      let isActive = group["alua_access_state"]?.unsigned ?? 0 == 0
      guard !isDefault || !isActive else { continue }
      note(
        group,
        "the ALUA group \((group["name"]?.string ?? "").quoted) of \(name.quoted): every path is "
          + "active and optimized until \"portalGroups\" say otherwise: not kept")
    }
  }
}
