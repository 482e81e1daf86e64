/// What an auth-group says, or a target for itself.
struct CTLAuthentication {
  struct User {
    var name: String?
    var secret: String?
    /// nil: one-way.
    var mutualName: String?
    var mutualSecret: String?
    var place: ImportPlace
  }

  /// "none", "deny", "chap" or "chap-mutual"; nil where the file does not say.
  var type: String?
  var users: [User] = []
  var names: [Statement] = []
  var addresses: [Statement] = []
}

extension CTLImporter {
  static func isAuthentication(_ statement: Statement) -> Bool {
    ["auth-type", "chap", "chap-mutual", "initiator-name", "initiator-portal"]
      .contains(statement.name)
  }

  mutating func authentication(_ statements: [Statement]) -> CTLAuthentication {
    var result = CTLAuthentication()
    for statement in statements {
      switch statement.name {
      case "auth-type": result.type = statement.argument()
      case "chap", "chap-mutual":
        let isMutual = statement.name == "chap-mutual"
        result.users.append(
          CTLAuthentication.User(
            name: statement.argument(), secret: statement.argument(1),
            mutualName: isMutual ? statement.argument(2) ?? "" : nil,
            mutualSecret: isMutual ? statement.argument(3) : nil, place: statement.place))
      case "initiator-name": result.names.append(statement)
      case "initiator-portal": result.addresses.append(statement)
      default:
        draft.note(statement.place, "\(statement.name.quoted) of an auth-group: not kept")
      }
    }
    return result
  }

  mutating func apply(
    _ authentication: CTLAuthentication, to target: inout TargetConfiguration.Target,
    _ place: ImportPlace
  ) {
    if authentication.type == "deny" { return }
    if authentication.type != "none" {
      guard !authentication.users.isEmpty else {
        draft.note(
          place,
          "\(target.name.quoted) asks for users but has none, and does not say \"auth-type none\": "
            + "nobody gets in")
        return
      }
      setUsers(authentication, &target)
      if target.chap.isEmpty {
        draft.close(&target, place)
        return
      }
    }
    letIn(authentication, &target)
  }

  private mutating func setUsers(
    _ authentication: CTLAuthentication, _ target: inout TargetConfiguration.Target
  ) {
    for user in authentication.users {
      draft.addUser(user.name, user.secret, to: &target.chap, user.place)
    }
    for user in authentication.users where user.mutualName != nil {
      guard let mutual = draft.credential(user.mutualName, user.mutualSecret, user.place) else {
        continue
      }
      if let first = target.mutualChap, first != mutual {
        draft.note(
          user.place,
          "a target proves itself with one user here: that of the first chap-mutual is kept, not "
            + "\(mutual.user.quoted)")
      } else {
        target.mutualChap = mutual
      }
    }
  }

  private mutating func letIn(
    _ authentication: CTLAuthentication, _ target: inout TargetConfiguration.Target
  ) {
    if authentication.names.isEmpty, authentication.addresses.isEmpty {
      target.isOpenToAny = true
      return
    }
    var addresses: [AddressPattern] = []
    var seen: Set<AddressPattern> = []
    for statement in authentication.addresses {
      let text = (statement.argument() ?? "").filter { $0 != "[" && $0 != "]" }
      guard let pattern = draft.addressPattern(text, statement.place) else { continue }
      if seen.insert(pattern).inserted { addresses.append(pattern) }
    }
    // An entry without addresses would mean everywhere.
    guard authentication.addresses.isEmpty || !addresses.isEmpty else { return }
    var entries = authentication.names.map { (name: $0.argument(), place: $0.place) }
    if entries.isEmpty, let first = authentication.addresses.first {
      entries = [(nil, first.place)]
    }
    for (name, place) in entries {
      // A name that is missing is no name, and not everybody's.
      if !authentication.names.isEmpty, name == nil { continue }
      var entry = TargetConfiguration.AccessEntry(initiator: name)
      entry.addresses = addresses
      draft.addEntry(entry, to: &target, place)
    }
  }

  // MARK: LUNs

  mutating func addLUN(_ statement: Statement, to luns: inout [TargetConfiguration.LUN]) {
    let number = statement.argument().flatMap { UInt64($0) }
    let store: String
    if statement.children != nil {
      store = addStore(statement, name: nil)
    } else {
      let name = statement.argument(1) ?? ""
      guard let found = stores[name] else {
        draft.note(statement.place, "there is no lun \(name.quoted): left out")
        return
      }
      store = found
    }
    guard !store.isEmpty else {
      draft.note(statement.place, "lun \(statement.argument() ?? "") is left out with its store")
      return
    }
    draft.addLUN(number, store: store, readOnly: false, to: &luns, statement.place)
  }

  /// The name of the store; empty where it is left out.
  mutating func addStore(_ statement: Statement, name: String?) -> String {
    var values: [String: String] = [:]
    var options: [String: String] = [:]
    for child in statement.children ?? [] {
      if child.name == "option" {
        options[child.argument() ?? ""] = child.argument(1) ?? ""
      } else {
        values[child.name] = child.rest
      }
    }
    if let type = values["device-type"], type != "0", type != "disk", type != "direct" {
      draft.note(
        statement.place, "a LUN of the device type \(type.quoted): here are only disks: left out")
      return ""
    }
    let path = values["path"] ?? options["file"] ?? ""
    let isMemory = values["backend"] == "ramdisk"
    var wish = StoreWish(
      name: name ?? ImportText.stem(path), medium: isMemory ? .memory : .file(path: path))
    wish.sizeBytes = values["size"].flatMap(ImportText.sizeBytes)
    wish.blockSize = values["blocksize"].map { Int($0) ?? 0 }
    wish.physicalBlockSize = options["pblocksize"].flatMap(ImportText.sizeBytes).flatMap {
      Int(exactly: $0)
    }
    wish.readOnly = options["readonly"].map(ImportText.isYes) ?? false
    wish.discard = options["unmap"].map(ImportText.isYes) ?? true ? .unmap : .ignore
    wish.rotationRate = options["rpm"].flatMap(ImportText.rotationRate)
    if options["writecache"].map(ImportText.isYes) == false {
      wish.cache = path.hasPrefix("/dev/") ? .directsync : .writethrough
    }
    identify(&wish, values, options, statement.place)
    let store = draft.add(wish, statement.place) ?? ""
    for child in statement.children ?? [] { tell(child, isMemory: isMemory) }
    return store
  }

  private mutating func identify(
    _ wish: inout StoreWish, _ values: [String: String], _ options: [String: String],
    _ place: ImportPlace
  ) {
    wish.serial = values["serial"]
    wish.vendor = options["vendor"] ?? "FREEBSD"
    wish.product = options["product"] ?? "CTLDISK"
    if let naa = options["naa"] {
      wish.naa = naa.hasPrefix("0x") ? String(naa.dropFirst(2)) : naa
    } else {
      draft.note(
        place,
        "the LUN has no \"option naa\": CTL named it by its device-id alone, so initiators see a "
          + "new disk; write \"naa\" if they know it by one that begins with 6")
    }
    if wish.serial == nil {
      draft.note(
        place,
        "the LUN leaves its serial number to CTL: a new one is made; write \"serial\" where "
          + "initiators depend on it")
    }
  }

  private mutating func tell(_ statement: Statement, isMemory: Bool) {
    var name = statement.name
    var reason = "there is nothing like it here: not kept"
    switch name {
    case "path", "backend", "blocksize", "serial", "device-type": return
    case "size":
      if isMemory { return }
      reason = "the size of a file or device is its own: compare them"
    case "device-id": reason = "the T10 identifier is made of vendor and serial number: not kept"
    case "option":
      name = "option \(statement.argument() ?? "")"
      switch statement.argument() {
      case "naa", "vendor", "product", "readonly", "unmap", "writecache", "pblocksize", "file",
        "rpm":
        return
      case "revision": reason = "the product revision is that of this server: not kept"
      default: break
      }
    default: break
    }
    draft.note(statement.place, "\(name.quoted) of a LUN: \(reason)")
  }
}
