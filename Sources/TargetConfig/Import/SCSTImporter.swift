/// scst.conf of SCST.
///
/// Access: SCST lets every initiator in and shows it the LUNs of the first GROUP that has its name,
/// else those of the target. Here the members of groups are entries with LUNs of their own, and the
/// door is open only where the target itself has LUNs.
struct SCSTImporter {
  var draft: ImportDraft
  /// The store of each device; an empty text where it was left out.
  private var stores: [String: String] = [:]

  init(draft: ImportDraft) { self.draft = draft }

  mutating func run(_ root: [Statement]) {
    for statement in root where statement.name == "HANDLER" { addHandler(statement) }
    for statement in root {
      switch statement.name {
      case "HANDLER": break
      case "TARGET_DRIVER": addDriver(statement)
      case "DEVICE_GROUP":
        draft.note(
          statement.place,
          "the device group \(statement.rest.quoted): every path is active and optimized "
            + "until \"portalGroups\" of the targets say otherwise: not kept")
      default:
        draft.note(statement.place, "\(statement.name.quoted) concerns SCST alone: not kept")
      }
    }
    draft.note(
      "the addresses that iscsi-scstd listens on are its options and do not stand in this file: "
        + "every address is listened on; write \"portals\" for others")
  }

  // MARK: Devices

  private mutating func addHandler(_ handler: Statement) {
    let name = handler.argument() ?? ""
    for device in handler.children ?? [] {
      guard device.name == "DEVICE", let title = device.argument() else {
        draft.note(
          device.place, "\(device.name.quoted) of the handler \(name.quoted): not kept")
        continue
      }
      guard stores[title] == nil else {
        draft.note(device.place, "the device \(title.quoted) stands here twice: the first is kept")
        continue
      }
      stores[title] = ""
      guard ["vdisk_fileio", "vdisk_blockio", "vdisk_nullio"].contains(name) else {
        draft.note(
          device.place,
          "the device \(title.quoted) is one of \(name.quoted), which does not exist here: its "
            + "LUNs are left out")
        continue
      }
      addDevice(device, title, handler: name)
    }
  }

  private mutating func addDevice(_ device: Statement, _ title: String, handler: String) {
    var values: [String: String] = [:]
    for attribute in device.children ?? [] { values[attribute.name] = attribute.rest }
    let path = values["filename"] ?? ""
    let medium: TargetConfiguration.Medium =
      switch handler {
      case "vdisk_fileio": .file(path: path)
      case "vdisk_blockio": .block(path: path)
      default: .null
      }
    var wish = StoreWish(name: title, medium: medium)
    wish.blockSize = values["blocksize"].map { Int($0) ?? 0 }
    wish.readOnly = values["read_only"].map(ImportText.isYes) ?? false
    wish.sizeBytes = size(values)
    wish.cache = cache(values, handler: handler)
    if values["thin_provisioned"] == "0" { wish.discard = .ignore }
    if values["rotational"] == "0" { wish.rotationRate = 1 }
    wish.removable = values["removable"].map(ImportText.isYes) ?? false
    identify(&wish, values, title, device.place)
    stores[title] = draft.add(wish, device.place) ?? ""
    for attribute in device.children ?? [] { tell(attribute, title, medium) }
  }

  private func size(_ values: [String: String]) -> UInt64? {
    if let text = values["size"] { return UInt64(text) }
    guard let text = values["size_mb"], let number = UInt64(text) else { return nil }
    let (bytes, overflowed) = number.multipliedReportingOverflow(by: 1 << 20)
    return overflowed ? nil : bytes
  }

  private func cache(
    _ values: [String: String], handler: String
  ) -> TargetConfiguration.CacheMode? {
    let isDurable = values["write_through"].map(ImportText.isYes) ?? false
    let isDirect = values["o_direct"].map(ImportText.isYes) ?? false || handler == "vdisk_blockio"
    switch (isDurable, isDirect) {
    case (true, true): return .directsync
    case (true, false): return .writethrough
    case (false, true): return TargetConfiguration.CacheMode.none
    case (false, false): return .writeback
    }
  }

  private mutating func identify(
    _ wish: inout StoreWish, _ values: [String: String], _ title: String, _ place: ImportPlace
  ) {
    wish.serial = values["usn"]
    wish.vendor = values["t10_vend_id"]
    wish.product = values["prod_id"] ?? title
    if let naa = values["naa_id"] {
      wish.naa = naa.hasPrefix("0x") ? String(naa.dropFirst(2)) : naa
    } else {
      draft.note(
        place,
        "the device \(title.quoted) has no naa_id: SCST made its WWID of other names, so "
          + "initiators see a new disk; write \"naa\" if they know it by one that begins with 6")
    }
    let missing = [("usn", "serial number"), ("t10_vend_id", "vendor")].filter {
      values[$0.0] == nil
    }.map { "\($0.1) (\($0.0))" }
    guard !missing.isEmpty else { return }
    draft.note(
      place,
      "the device \(title.quoted) leaves \(missing.joined(separator: " and ")) to SCST: here they "
        + "are our own; write them as initiators know them")
  }

  private mutating func tell(
    _ attribute: Statement, _ title: String, _ medium: TargetConfiguration.Medium
  ) {
    let value = attribute.rest
    let reason: String
    switch attribute.name {
    case "filename", "blocksize", "read_only", "write_through", "o_direct", "naa_id", "usn",
      "t10_vend_id", "prod_id", "thin_provisioned", "rotational", "removable":
      return
    case "size", "size_mb":
      if medium.path == nil { return }
      reason = "the size of a file or device is its own"
    case "nv_cache":
      reason = "there is no promise here that a cache outlives the power: initiators flush it"
    default: reason = "cannot be chosen here"
    }
    if value == "0", attribute.name == "nv_cache" { return }
    draft.note(
      attribute.place,
      "\(attribute.name) \(value.quoted) of the device \(title.quoted): \(reason): not kept")
  }

  // MARK: Targets

  private mutating func addDriver(_ driver: Statement) {
    guard driver.argument() == "iscsi" else {
      draft.note(
        driver.place,
        "the driver \((driver.argument() ?? "").quoted): here is only iSCSI: its targets are left out"
      )
      return
    }
    for statement in driver.children ?? [] {
      switch Self.attributeName(statement) {
      case "TARGET": addTarget(statement)
      case "enabled": break
      case "IncomingUser":
        let words = Self.userWords(statement)
        draft.addDiscoveryUser(
          words.first, words.dropFirst().first, statement.place)
      case "OutgoingUser":
        let words = Self.userWords(statement)
        draft.discovery.mutualChap = draft.credential(
          words.first, words.dropFirst().first, statement.place)
      default:
        draft.note(
          statement.place, "\(statement.name.quoted) of the iSCSI driver: not kept")
      }
    }
  }

  /// An attribute with several values is written once for each: `IncomingUser`, `IncomingUser1`,
  /// `IncomingUser2`.
  private static func attributeName(_ statement: Statement) -> String {
    for name in ["IncomingUser", "OutgoingUser"] where statement.name.hasPrefix(name) {
      if statement.name.dropFirst(name.count).allSatisfy({ ("0"..."9").contains($0) }) {
        return name
      }
    }
    return statement.name
  }

  /// `IncomingUser "joe secret"`, quoted or not.
  private static func userWords(_ statement: Statement) -> [String] {
    statement.rest.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  private mutating func addTarget(_ statement: Statement) {
    let name = statement.argument() ?? ""
    let children = statement.children ?? []
    guard children.contains(where: { $0.name == "enabled" && $0.rest == "1" }) else {
      draft.note(
        statement.place,
        "the target \(name.quoted) is not enabled, which does not exist here: left out")
      return
    }
    var target = TargetConfiguration.Target(name: name)
    for child in children where child.name == "LUN" { addLUN(child, to: &target.luns) }
    var isWhole = true
    for child in children where child.name == "GROUP" {
      if !addGroup(child, &target) { isWhole = false }
    }
    for child in children { option(child, &target) }
    if target.luns.isEmpty {
      if children.contains(where: { $0.name == "GROUP" }) {
        draft.note(
          statement.place,
          "initiators of no group could log in to \(name.quoted) and saw nothing: here they cannot")
      }
    } else if isWhole {
      target.isOpenToAny = true
    } else {
      draft.keepClosed(target, statement.place)
    }
    let wantsUsers = children.contains { Self.attributeName($0) == "IncomingUser" }
    if wantsUsers, target.chap.isEmpty { draft.close(&target, statement.place) }
    draft.add(DraftTarget(target: target, endpoints: nil, place: statement.place))
  }

  private mutating func option(
    _ statement: Statement, _ target: inout TargetConfiguration.Target
  ) {
    switch Self.attributeName(statement) {
    case "LUN", "GROUP", "enabled": break
    case "IncomingUser":
      let words = Self.userWords(statement)
      draft.addUser(words.first, words.dropFirst().first, to: &target.chap, statement.place)
    case "OutgoingUser":
      let words = Self.userWords(statement)
      target.mutualChap = draft.credential(
        words.first, words.dropFirst().first, statement.place)
    case "alias": target.alias = statement.rest
    case "allowed_portal":
      draft.note(
        statement.place,
        "allowed_portal \(statement.rest.quoted): the target is reached at every address; for "
          + "fewer, write \"portals\" with groups and \"portalGroups\"")
    default:
      let isKnown = draft.negotiate(
        statement.name, statement.rest, &target.iscsi, statement.place)
      if !isKnown {
        draft.note(
          statement.place,
          "\(statement.name.quoted) of the target \(target.name.quoted): not kept")
      }
    }
  }

  private mutating func addLUN(
    _ statement: Statement, to luns: inout [TargetConfiguration.LUN]
  ) {
    let device = statement.argument(1) ?? ""
    guard let store = stores[device] else {
      draft.note(
        statement.place, "there is no device \(device.quoted): the LUN is left out")
      return
    }
    guard !store.isEmpty else {
      draft.note(statement.place, "the LUN is left out with the device \(device.quoted)")
      return
    }
    var isReadOnly = false
    for child in statement.children ?? [] {
      if child.name == "read_only" {
        isReadOnly = ImportText.isYes(child.rest)
      } else {
        draft.note(child.place, "\(child.name.quoted) of a LUN: not kept")
      }
    }
    draft.addLUN(
      statement.argument().flatMap { UInt64($0) }, store: store, readOnly: isReadOnly, to: &luns,
      statement.place)
  }

  /// False: not all of its initiators are in the list.
  private mutating func addGroup(
    _ group: Statement, _ target: inout TargetConfiguration.Target
  ) -> Bool {
    let name = group.rest.quoted
    var luns: [TargetConfiguration.LUN] = []
    var isWhole = true
    for child in group.children ?? [] where child.name == "LUN" { addLUN(child, to: &luns) }
    for child in group.children ?? [] where child.name != "LUN" {
      guard child.name == "INITIATOR" else {
        draft.note(child.place, "\(child.name.quoted) of the group \(name): not kept")
        continue
      }
      if !addInitiator(child, luns, &target) { isWhole = false }
    }
    return isWhole
  }

  /// Names with `*`, `?`, `!` or a portal behind `#` cannot be expressed, but `*` alone means any.
  private mutating func addInitiator(
    _ statement: Statement, _ luns: [TargetConfiguration.LUN],
    _ target: inout TargetConfiguration.Target
  ) -> Bool {
    let pattern = statement.argument() ?? ""
    var entry = TargetConfiguration.AccessEntry(initiator: pattern == "*" ? nil : pattern)
    entry.luns = luns
    if entry.initiator != nil, pattern.contains(where: { "*?!#".contains($0) }) {
      draft.note(
        statement.place,
        "the pattern \(pattern.quoted) cannot be written here: name the initiators in \"acl\" one "
          + "by one; until then none of them gets in by it")
      return false
    }
    return draft.addEntry(entry, to: &target, statement.place)
  }
}
