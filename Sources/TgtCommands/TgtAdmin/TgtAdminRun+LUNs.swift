internal import AdministrationModel
internal import TargetConfig

extension TgtAdminRun {
  typealias Store = TgtAdminConfiguration.Target.Store

  /// Those that a target may have for all its LUNs, in the order in which tgt-admin hands them on.
  private static let common = [
    "scsi_id", "sense_format", "removable", "online", "path", "readonly", "vendor_id",
    "product_id", "product_rev", "scsi_sn", "lbppbe", "la_lba", "optimal_xfer_gran",
    "optimal_xfer_len",
  ]

  mutating func add(
    _ store: Store, isDirect: Bool, of target: Target, _ lld: String, _ luns: inout LUNNumbers
  ) async throws(End) {
    guard canUse(store, target) else { return }
    let lun = luns.number(store, target)
    if isDirect {
      comment("direct-store \(store.path): what the disk says of itself is not copied")
    }
    let creation = [
      ("device-type", "--device-type"), ("bs-type", "--bstype"), ("bsopts", "--bsopts"),
      ("bsoflags", "--bsoflags"), ("block-size", "--blocksize"),
    ]
    var texts = ["-b \"\(store.path)\""]
    var arguments = ["-b", store.path]
    for (name, option) in creation {
      guard let value = store[name] ?? (name == "block-size" ? nil : target[name]) else {
        texts.append("")
        continue
      }
      texts.append("\(option) \(value)")
      arguments += [option] + value.split(separator: " ").map(String.init)
    }
    try await execute(
      TgtadmCommand(
        controlPort, "\(lld) --op new --mode logicalunit --tid \(tid) --lun \(lun)",
        (texts.joined(separator: " "), arguments)))
    try await describe(store, lun: lun, of: target, lld)
  }

  // MARK: Whether it can be used

  private mutating func canUse(_ store: Store, _ target: Target) -> Bool {
    let type = store["bs-type"] ?? target["bs-type"] ?? ""
    let mayBeInUse =
      options.isForced
      || [store["allow-in-use"], target["allow-in-use"]]
        .contains("yes")
    if !mayBeInUse, let reason = use(of: store.path) {
      for line in reason { comment(line) }
      comment("Skipping device \(store.path) - it is in use.")
      comment("You can override it with --force or 'allow-in-use yes' config option.")
      comment(
        "Note - do so only if you know what you're doing, you may damage your data.")
      leaveOut(store, target, "is in use (--force or \"allow-in-use yes\" serves it all the same)")
      return false
    }
    let kind = surroundings.files.kind(of: store.path)
    guard type == "null" || kind == .regular || kind == .blockDevice else {
      comment("Skipping device: \(store.path)")
      comment("\(store.path) does not exist - please check the configuration file")
      leaveOut(store, target, kind == .missing ? "does not exist" : "is no file and no disk")
      return false
    }
    return true
  }

  /// tgt-admin does not say it, and its target has a LUN less.
  private mutating func leaveOut(_ store: Store, _ target: Target, _ reason: String) {
    leftOutCount += 1
    complain("\(target.name): left out: \(store.path) \(reason)")
  }

  private func use(of path: String) -> [String]? {
    if surroundings.files.isHeldBySystem(path) {
      return ["Device \(path) is used by the system (mounted, used by swap?)."]
    }
    guard present.state.stores.values.contains(where: { $0.path == path }) else { return nil }
    return ["Device \(path) is used (already tgtd target?)."]
  }

  // MARK: What it looks like

  /// A parameter of a LUN, or a remark about one.
  private enum Step {
    case parameter(text: String, value: String)
    case remark(String)

    var isModePage: Bool {
      if case .parameter(let text, _) = self { text.hasPrefix("mode_page") } else { false }
    }
  }

  /// Mode pages first.
  private mutating func describe(
    _ store: Store, lun: String, of target: Target, _ lld: String
  ) async throws(End) {
    let steps = steps(store, lun: lun, of: target)
    for step in steps.filter(\.isModePage) + steps.filter({ !$0.isModePage }) {
      switch step {
      case .remark(let sentence): comment(sentence)
      case .parameter(let text, let value):
        try await execute(
          TgtadmCommand(
            controlPort, "\(lld) --op update --mode logicalunit --tid \(tid) --lun=\(lun)",
            ("--params \(text)", ["--params", value])))
      }
    }
  }

  private func steps(_ store: Store, lun: String, of target: Target) -> [Step] {
    var steps: [Step] = []
    for option in store.options { steps += Self.steps(option.name, option.value, lun) }
    let own = Set(store.options.map(\.name))
    for name in Self.common where !own.contains(name) {
      if let value = target[name] { steps += Self.steps(name, value, lun) }
    }
    if !own.contains("write-cache") {
      steps += Self.steps("write-cache", target["write-cache"] ?? "", lun)
    }
    for value in target.values("mode_page") { steps += Self.steps("mode_page", value, lun) }
    for value in target.values("params") { steps += Self.steps("params", value, lun) }
    return steps
  }

  private static func steps(_ name: String, _ value: String, _ lun: String) -> [Step] {
    switch name {
    case "write-cache": [writeCache(value, lun)]
    case "params": [.parameter(text: "\"\(value)\"", value: value)]
    case "mode_page": [.parameter(text: "mode_page=\"\(value)\"", value: "mode_page=\(value)")]
    case _ where common.contains(name):
      [.parameter(text: "\(name)=\"\(value)\"", value: "\(name)=\(value)")]
    default: []
    }
  }

  /// Off is the caching mode page (SBC-3 §6.4.5) without WCE.
  private static func writeCache(_ value: String, _ lun: String) -> Step {
    switch value {
    case "off":
      let page =
        "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0"
      return .parameter(text: page, value: page)
    case "on", "": return .remark("Write cache is enabled (default) for lun \(lun).")
    default:
      return .remark(
        "WARNING! Unknown value (\(value)) to write-cache! "
          + "Accepted values are \"on\" and \"off\".")
    }
  }
}
