extension ConfigurationBuilder {
  /// Where identities were given first: two logical units that share one are one disk to multipath.
  private struct Identities {
    var paths: [String: String] = [:]
    var naa: [String: String] = [:]
    var serials: [String: String] = [:]
  }

  mutating func buildStores(_ map: DocumentNode) {
    var identities = Identities()
    var names: Set<String> = []
    let known = KnownItems(former?.text.root.member("stores"), in: texts)
    let members = map.members
    for (index, (name, node)) in members.enumerated() where names.insert(name).inserted {
      // What a store is depends on nothing but what is said of it.
      if let former,
        let place = known.place(
          of: node.value, named: name, at: index, of: members.count),
        former.configuration.stores.indices.contains(place)
      {
        let store = former.configuration.stores[place]
        checkIdentity(store, node, &identities)
        configuration.stores.append(store)
        continue
      }
      guard let medium = medium(node) else {
        // Still a name that LUNs may refer to.
        configuration.stores.append(TargetConfiguration.Store(name: name, medium: .null))
        continue
      }
      var store = TargetConfiguration.Store(name: name, medium: medium)
      fill(&store, from: node)
      checkSize(store, node)
      checkMedium(store, node)
      checkIdentity(store, node, &identities)
      configuration.stores.append(store)
    }
  }

  private func medium(_ node: DocumentNode) -> TargetConfiguration.Medium? {
    if let path = node["file"]?.text { return .file(path: resolve(path)) }
    if let path = node["block"]?.text { return .block(path: resolve(path)) }
    if node["memory"] != nil { return .memory }
    if node["null"] != nil { return .null }
    return nil
  }

  private func fill(_ store: inout TargetConfiguration.Store, from node: DocumentNode) {
    store.sizeBytes = node["size"]?.sizeBytes
    store.blockSize = node["blockSize"]?.int ?? store.blockSize
    store.physicalBlockSize = node["physicalBlockSize"]?.int
    store.cache = choice(node["cache"]) ?? store.cache
    store.discard = choice(node["discard"]) ?? store.discard
    store.queueDepth = node["queueDepth"]?.int ?? store.queueDepth
    store.readOnly = node["readOnly"]?.boolean ?? false
    store.naa = node["naa"]?.text.flatMap { NAAIdentifier($0) }
    store.serial = node["serial"]?.text
    store.vendor = node["vendor"]?.text ?? store.vendor
    store.product = node["product"]?.text ?? store.product
    store.removable = node["removable"]?.boolean ?? false
    store.servesLongCommands = node["longCommands"]?.boolean ?? false
    store.servesReferrals = node["referrals"]?.boolean ?? false
    store.thinThresholdPercent = node["thinThreshold"]?.text.flatMap { Percentage.value(of: $0) }
    store.thinAvailableThresholdPercent =
      node["thinAvailableThreshold"]?.text.flatMap { Percentage.value(of: $0) }
    if let rate = node["rotationRate"] {
      store.rotationRate = rate.text == "none" ? 1 : rate.integer.flatMap { UInt16(exactly: $0) }
    }
  }

  private mutating func checkSize(_ store: TargetConfiguration.Store, _ node: DocumentNode) {
    switch store.medium {
    case .block:
      if let size = node["size"] {
        report.error(size, "the size of a block device is its own: leave the key out")
      }
    case .memory, .null:
      if node["size"] == nil {
        report.error(
          node,
          "a \(store.medium.keyword) store needs a size: write for example "
            + "\"size\": \"64MiB\"")
      }
    case .file: break
    }
    let block = UInt64(store.blockSize ?? 512)
    if let size = node["size"], let bytes = store.sizeBytes, bytes % block != 0 {
      let next =
        bytes > ByteSize.bytesMax - block ? "" : ", the next is \((bytes / block + 1) * block)"
      report.error(
        size, "\(size.value.shown) is not a multiple of the block size \(block)\(next)")
    }
    if let physical = node["physicalBlockSize"], let value = store.physicalBlockSize,
      let logical = store.blockSize, value < logical
    {
      report.error(physical, "\(value) is less than the block size \(logical)")
    }
  }

  private mutating func checkMedium(_ store: TargetConfiguration.Store, _ node: DocumentNode) {
    for key in ["thinThreshold", "thinAvailableThreshold"] where store.medium.keyword != "file" {
      guard let threshold = node[key] else { continue }
      report.error(
        threshold,
        "how much of a \(store.medium.keyword) store is used cannot be found out: leave the key out"
      )
    }
    switch store.medium {
    case .file(let path):
      let isDevice = path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")
      if isDevice, let file = node["file"] {
        report.error(file, "\(path.quoted) is a device: write \"block\" instead of \"file\"")
      }
    case .memory, .null:
      if let cache = node["cache"] {
        report.error(
          cache, "a \(store.medium.keyword) store has nothing to cache: leave the key out")
      }
    case .block: break
    }
  }

  private mutating func checkIdentity(
    _ store: TargetConfiguration.Store, _ node: DocumentNode, _ identities: inout Identities
  ) {
    if let path = store.medium.path, let place = node[store.medium.keyword] {
      if let other = identities.paths[path] {
        report.error(
          place,
          "\(path.quoted) is already the medium of the store \(other.quoted): "
            + "two stores on it would destroy each other's data", .conflict)
      } else {
        identities.paths[path] = store.name
      }
    }
    if let naa = store.naa, let place = node["naa"] {
      reportShared(place, "the NAA identifier", store.name, naa.description, &identities.naa)
    }
    if let serial = store.serial, let place = node["serial"] {
      reportShared(place, "the serial number", store.name, serial, &identities.serials)
    }
  }

  private mutating func reportShared(
    _ place: DocumentNode, _ what: String, _ name: String, _ value: String,
    _ seen: inout [String: String]
  ) {
    if let other = seen[value] {
      report.error(
        place,
        "\(value.quoted) is also \(what) of the store \(other.quoted): "
          + "initiators would take both for one disk", .conflict)
    } else {
      seen[value] = name
    }
  }

  /// Of all stores: it may be the daemon's files that are others.
  mutating func checkOwnFiles(_ root: DocumentNode) {
    let own = OwnFiles(of: configuration, file: context.filePath)
    for store in configuration.stores {
      guard let path = store.medium.path, let role = own.role(of: path),
        let place = root["stores"]?[store.name]?[store.medium.keyword]
      else { continue }
      report.error(place, "\(path.quoted) \(OwnFiles.refusal(of: role))", .conflict)
    }
  }

  mutating func checkStoresAreUsed(_ root: DocumentNode) {
    var used: Set<String> = []
    for target in configuration.targets {
      for lun in target.luns { used.insert(lun.store) }
      for entry in target.acl { for lun in entry.luns ?? [] { used.insert(lun.store) } }
    }
    for (name, node) in root["stores"]?.members ?? [] where !used.contains(name) {
      report.warning(node, "no target presents this store")
    }
  }
}
