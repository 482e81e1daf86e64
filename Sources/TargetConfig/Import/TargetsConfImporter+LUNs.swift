/// What stands about LUNs, in the block of one LUN or for all LUNs of a target.
struct LUNOptions {
  static let names: Set<String> = [
    "lun", "device-type", "bs-type", "bsopts", "bsoflags", "block-size", "allow-in-use",
    "write-cache", "scsi_id", "scsi_sn", "vendor_id", "product_id", "product_rev", "sense_format",
    "removable", "online", "readonly", "path", "lbppbe", "la_lba", "optimal_xfer_gran",
    "optimal_xfer_len", "mode_page", "params", "thin_provisioning", "rotation_rate",
  ]

  private(set) var values: [String: Directive] = [:]
  /// May stand several times.
  private(set) var modePages: [Directive] = []
  /// Of this block, in order; those of the target are not repeated for each LUN.
  private(set) var own: [Directive] = []

  /// `params a=1,b=2` says the same as `a 1` and `b 2`.
  init(_ directives: [Directive]) {
    for directive in directives {
      guard directive.name == "params" else {
        add(directive)
        continue
      }
      for part in directive.value.split(separator: ",") {
        let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2 else { continue }
        let value = DirectiveReader.trimmed(String(pair[1]).filter { $0 != "\"" })
        add(
          Directive(
            name: DirectiveReader.trimmed(String(pair[0])), value: value, place: directive.place))
      }
    }
  }

  private mutating func add(_ directive: Directive) {
    guard Self.names.contains(directive.name) else { return }
    own.append(directive)
    if directive.name == "mode_page" {
      modePages.append(directive)
    } else {
      values[directive.name] = directive
    }
  }

  /// These over those of the target.
  func over(_ common: LUNOptions) -> LUNOptions {
    var result = self
    for (name, directive) in common.values where result.values[name] == nil {
      result.values[name] = directive
    }
    result.modePages = common.modePages + modePages
    return result
  }

  subscript(_ name: String) -> String? { values[name]?.value }

  func isYes(_ name: String) -> Bool { self[name].map(ImportText.isYes) ?? false }
}

extension TargetsConfImporter {
  /// A LUN in the making: its own options are merged with those of the target.
  private struct PlannedLUN {
    var directive: Directive
    var options: LUNOptions
    var isDirect: Bool
    var number: UInt64?
  }

  /// LUNs count from 1, backing stores before direct stores; numbers that are given are skipped.
  mutating func addLUNs(
    _ children: [Directive], _ common: LUNOptions, tid: Int,
    _ target: inout TargetConfiguration.Target
  ) {
    tellUnkept(common)
    var plan: [PlannedLUN] = []
    for kind in ["backing-store", "direct-store"] {
      for child in children where child.name == kind {
        let own = LUNOptions(child.children ?? [])
        tellUnknown(child)
        tellUnkept(own)
        let options = own.over(common)
        plan.append(
          PlannedLUN(
            directive: child, options: options, isDirect: kind == "direct-store",
            number: options["lun"].flatMap { UInt64($0) }))
      }
    }
    number(&plan)
    for lun in plan { add(lun, tid: tid, &target) }
  }

  private mutating func number(_ plan: inout [PlannedLUN]) {
    let taken = Set(plan.compactMap(\.number))
    let unnumbered = plan.indices.filter { plan[$0].number == nil }
    var next: UInt64 = 1
    for index in unnumbered {
      while taken.contains(next) { next += 1 }
      plan[index].number = next
      next += 1
    }
    for kind in [false, true] {
      let paths = unnumbered.map { plan[$0] }.filter { $0.isDirect == kind }.map(\.directive)
      guard let first = paths.first, paths.map(\.value) != paths.map(\.value).sorted() else {
        continue
      }
      draft.note(
        first.place,
        "LUNs without a number are counted in the order of the file; tgt-admin may have counted "
          + "them by their sorted paths: compare with what initiators see, and write \"lun\" "
          + "accordingly")
    }
  }

  // MARK: One LUN

  private mutating func add(
    _ lun: PlannedLUN, tid: Int, _ target: inout TargetConfiguration.Target
  ) {
    let place = lun.directive.place
    guard let medium = medium(lun), let number = lun.number else { return }
    var wish = StoreWish(name: ImportText.stem(lun.directive.value), medium: medium)
    if let text = lun.options["block-size"] { wish.blockSize = Int(text) ?? 0 }
    if let text = lun.options["lbppbe"], let exponent = Int(text), (1...7).contains(exponent) {
      wish.physicalBlockSize = (wish.blockSize ?? 512) << exponent
    }
    wish.cache = cache(lun)
    if lun.options["thin_provisioning"] == "0" { wish.discard = .ignore }
    wish.readOnly = lun.options.isYes("readonly")
    wish.rotationRate = lun.options["rotation_rate"].flatMap(ImportText.rotationRate)
    wish.removable = lun.options.isYes("removable")
    identify(&wish, lun, tid: tid, number: number)
    guard let store = draft.add(wish, place) else { return }
    draft.addLUN(number, store: store, readOnly: false, to: &target.luns, place)
  }

  /// nil, with a note, when there is nothing like it here.
  private mutating func medium(_ lun: PlannedLUN) -> TargetConfiguration.Medium? {
    let place = lun.directive.place
    let path = lun.options["path"] ?? lun.directive.value
    if let type = lun.options["device-type"], type != "disk" {
      draft.note(place, "a LUN of the type \(type.quoted): here are only disks: left out")
      return nil
    }
    if let online = lun.options["online"], !ImportText.isYes(online) {
      draft.note(place, "the LUN is not online, which does not exist here: left out")
      return nil
    }
    switch lun.options["bs-type"] ?? "rdwr" {
    case "rdwr", "aio": break
    case let type:
      draft.note(
        place,
        "the backing store \(type.quoted) is not one of a file or device: the LUN is left out")
      return nil
    }
    guard !path.isEmpty, !path.hasPrefix("NONE") else {
      draft.note(place, "\(path.quoted) is a LUN without a medium: left out")
      return nil
    }
    return .file(path: path)
  }

  /// Mode page 8, or write-cache, says whether writes may be lost with the power. The medium may be
  /// that of another machine: a path below /dev is a device.
  private func cache(_ lun: PlannedLUN) -> TargetConfiguration.CacheMode? {
    let flags = TgtCache.Flags(lun.options["bsoflags"] ?? "") ?? TgtCache.Flags()
    let path = lun.directive.value
    let isDevice = path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")
    var mode = TgtCache.mode(flags, type: lun.options["bs-type"] ?? "rdwr", isDevice: isDevice)
    let isDurable =
      lun.options["write-cache"]?.lowercased() == "off"
      || lun.options.modePages.contains { TgtCache.hasWriteCache(modePage: $0.value) == false }
    if isDurable { mode = TgtCache.mode(mode, hasWriteCache: false) }
    // The default of a file.
    return mode == .writeback ? nil : mode
  }

  // MARK: Identity

  private mutating func identify(
    _ wish: inout StoreWish, _ lun: PlannedLUN, tid: Int, number: UInt64
  ) {
    let place = lun.directive.place
    wish.naa = TgtIdentity.naa(
      lun.options["scsi_id"] ?? TgtIdentity.scsiID(tid: tid, lun: number))
    wish.serial = lun.options["scsi_sn"]
    wish.vendor = lun.options["vendor_id"]
    wish.product = lun.options["product_id"]
    if lun.isDirect {
      draft.note(
        place,
        "direct-store showed vendor, product and serial number of the disk itself: write them as "
          + "\"vendor\", \"product\" and \"serial\" where initiators depend on them")
    } else {
      wish.vendor = wish.vendor ?? TgtIdentity.vendor
      wish.serial = wish.serial ?? TgtIdentity.serial(tid: tid, lun: number)
    }
    if lun.options["scsi_id"] == nil {
      draft.note(
        place,
        "without scsi_id the WWID comes from the numbers of target and LUN, \(tid) and \(number) "
          + "when tgt-admin starts with this file; compare with tgtadm --mode target --op show. "
          + "tgtd on another host gives its own disks the same WWIDs: where initiators see both "
          + "hosts, delete \"naa\" and \"serial\" here for new ones")
    }
  }

  // MARK: What is not kept

  private mutating func tellUnknown(_ directive: Directive) {
    for child in directive.children ?? [] {
      if child.children != nil || !LUNOptions.names.contains(child.name) {
        draft.note(child.place, "\(child.name.quoted) is not known in a LUN: not kept")
      }
    }
  }

  private mutating func tellUnkept(_ options: LUNOptions) {
    for option in options.own {
      if let reason = Self.unkept(option) {
        draft.note(option.place, "\(option.name) \(option.value.quoted): \(reason)")
      }
    }
  }

  /// Why an option is not kept; nil when it is, or when it says what holds anyway.
  private static func unkept(_ option: Directive) -> String? {
    switch option.name {
    case "product_rev": "the product revision is that of this server: not kept"
    case "sense_format":
      ImportText.isYes(option.value) ? "sense data has the fixed format here: not kept" : nil
    case "allow-in-use":
      ImportText.isYes(option.value)
        ? "a device that something else has open is refused here: not kept" : nil
    case "bsopts": "options of tgt's own backing stores: not kept"
    case "la_lba", "optimal_xfer_gran", "optimal_xfer_len":
      option.value == "0" ? nil : "initiators are not told this here: not kept"
    case "rotation_rate":
      option.value == "0" || ImportText.rotationRate(option.value) != nil
        ? nil : "not a rotation rate that is possible here: not kept"
    case "lbppbe":
      Int(option.value).map { (0...7).contains($0) } ?? false
        ? nil : "not a block size that is possible here: not kept"
    case "mode_page":
      option.value.hasPrefix("8:0:") || option.value.hasPrefix("0x8:0:")
        ? (TgtCache.hasWriteCache(modePage: option.value) == false
          ? nil : "the write cache stays on, nothing else is kept")
        : "mode pages are not written in a configuration here: not kept"
    case "write-cache":
      ["on", "off"].contains(option.value.lowercased())
        ? nil : "neither on nor off: the write cache stays on"
    default: nil
    }
  }
}
