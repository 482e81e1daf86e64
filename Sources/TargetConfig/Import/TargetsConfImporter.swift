/// targets.conf of tgt, as tgt-admin reads it.
///
/// Access: initiator-address and initiator-name are two lists, and whoever is in **either** gets
/// in. Our entry matches when name **and** address match; so the names become one entry each, from
/// anywhere, and all addresses together become one entry for any name. With no list tgt-admin
/// binds ALL: `"initiators": "any"`.
struct TargetsConfImporter {
  var draft: ImportDraft
  private var defaultDriver = "iscsi"

  init(draft: ImportDraft) { self.draft = draft }

  mutating func run(_ root: [Directive]) {
    for directive in root where directive.children == nil { global(directive) }
    let targets = distinctTargets(root)
    // tgt-admin makes the targets in the order of their names; so they got their tids.
    var tids: [String: Int] = [:]
    for (index, name) in targets.map(\.value).sorted().enumerated() { tids[name] = index + 1 }
    for target in targets { add(target, tid: tids[target.value] ?? 1) }
    draft.note(
      "portals are options of tgtd and do not stand in this file: every address is listened on; "
        + "write \"portals\" for others")
    if !draft.stores.isEmpty {
      draft.note(
        "initiators that know a disk only by its T10 identifier (\"scsi-1IET_...\") see it as "
          + "new: that identifier is made of vendor and serial number here")
    }
  }

  // MARK: The whole file

  private mutating func global(_ directive: Directive) {
    switch directive.name {
    case "default-driver": defaultDriver = directive.value
    case "ignore-errors":
      draft.note(directive.place, "ignore-errors concerns tgt-admin alone: not kept")
    case "incomingdiscoveryuser":
      let words = directive.words
      draft.addDiscoveryUser(
        words.first, words.dropFirst().first, directive.place)
    case "outgoingdiscoveryuser":
      let words = directive.words
      var mutual = draft.discovery.mutualChap
      setMutual(&mutual, words, directive.place)
      draft.discovery.mutualChap = mutual
    case "control-port":
      draft.note(directive.place, "control-port chooses one tgtd of several: not kept")
    case "iSNS", "iSNSServerIP", "iSNSServerPort", "iSNSAccessControl":
      draft.note(directive.place, "\(directive.name): there is no iSNS here: not kept")
    default:
      draft.note(directive.place, "\(directive.name.quoted) is not known: not kept")
    }
  }

  private mutating func setMutual(
    _ mutual: inout TargetConfiguration.Credential?, _ words: [String], _ place: ImportPlace
  ) {
    if mutual != nil {
      draft.note(place, "a second outgoing user: tgt uses the first, which is kept")
      return
    }
    mutual = draft.credential(words.first, words.dropFirst().first, place)
  }

  private mutating func distinctTargets(_ root: [Directive]) -> [Directive] {
    var names: Set<String> = []
    var result: [Directive] = []
    for directive in root where directive.children != nil {
      guard directive.name == "target" else {
        draft.note(
          directive.place, "the block <\(directive.name.shortened)> is not known: not kept")
        continue
      }
      if names.insert(directive.value).inserted {
        result.append(directive)
      } else {
        draft.note(
          directive.place,
          "the target \(directive.value.quoted) stands already above: this one is left out")
      }
    }
    return result
  }

  // MARK: A target

  private mutating func add(_ block: Directive, tid: Int) {
    let children = block.children ?? []
    guard isPresented(block, children) else { return }
    var target = TargetConfiguration.Target(name: block.value)
    var tid = tid
    if let given = children.last(where: { $0.name == "controller_tid" }) {
      if let number = Int(given.value), (1...0xFFFF).contains(number) { tid = number }
    }
    let common = LUNOptions(children.filter { $0.children == nil })
    for child in children where child.children == nil { option(child, &target) }
    pings(children, &target)
    addLUNs(children, common, tid: tid, &target)
    access(block, children, &target)
    draft.add(DraftTarget(target: target, endpoints: nil, place: block.place))
  }

  /// A target that initiators could not reach stays away.
  private mutating func isPresented(_ block: Directive, _ children: [Directive]) -> Bool {
    let driver = children.last { $0.name == "driver" }?.value ?? defaultDriver
    if driver != "iscsi" {
      draft.note(
        block.place,
        "the target \(block.value.quoted) uses the driver \(driver.quoted), and here is only iSCSI "
          + "over TCP: it is left out")
      return false
    }
    if children.contains(where: { $0.name == "state" && $0.value == "offline" }) {
      draft.note(
        block.place,
        "the target \(block.value.quoted) is offline, which does not exist here: it is left out")
      return false
    }
    return true
  }

  private mutating func option(
    _ directive: Directive, _ target: inout TargetConfiguration.Target
  ) {
    switch directive.name {
    case "incominguser":
      let words = directive.words
      draft.addUser(words.first, words.dropFirst().first, to: &target.chap, directive.place)
    case "outgoinguser": setMutual(&target.mutualChap, directive.words, directive.place)
    case "controller_tid":
      draft.note(
        directive.place,
        "controller_tid: targets have no numbers here; it only told the WWIDs of this target")
    case "RedirectAddress", "RedirectPort", "RedirectReason", "RedirectCallback":
      draft.note(
        directive.place, "\(directive.name): logins are not redirected here: not kept")
    case "driver", "state", "initiator-address", "initiator-name", "backing-store",
      "direct-store", "nop_interval", "nop_count":
      break  // read elsewhere
    default:
      if LUNOptions.names.contains(directive.name) { return }
      let isKnown = draft.negotiate(
        directive.name, directive.value, &target.iscsi, directive.place)
      if !isKnown {
        draft.note(directive.place, "\(directive.name.quoted) is not known: not kept")
      }
    }
  }

  /// tgt gives up after `nop_count` pings without an answer, one each `nop_interval` seconds.
  private mutating func pings(
    _ children: [Directive], _ target: inout TargetConfiguration.Target
  ) {
    guard let interval = children.last(where: { $0.name == "nop_interval" }) else { return }
    let count = children.last { $0.name == "nop_count" }.flatMap { Int($0.value) } ?? 1
    guard let seconds = Int(interval.value), (0...3600).contains(seconds), count >= 1,
      count <= 3600, seconds * count <= 3600
    else {
      draft.note(interval.place, "nop_interval \(interval.value.quoted) is not possible: not kept")
      return
    }
    target.iscsi.nopIntervalSeconds = seconds
    if seconds > 0 { target.iscsi.nopTimeoutSeconds = seconds * count }
  }

  // MARK: Access

  private mutating func access(
    _ block: Directive, _ children: [Directive], _ target: inout TargetConfiguration.Target
  ) {
    let names = children.filter { $0.name == "initiator-name" }
    let addresses = children.filter { $0.name == "initiator-address" }
    let isAll = addresses.contains { $0.value == "ALL" }
    if names.isEmpty, addresses.isEmpty || isAll {
      target.isOpenToAny = true
    } else {
      for name in names {
        if name.value == "ALL" {
          draft.note(
            name.place, "initiator-name ALL names nobody in tgt, only an initiator called ALL")
        }
        draft.addEntry(.init(initiator: name.value), to: &target, name.place)
      }
      if !isAll { addAddresses(addresses, &target) }
      explain(names, addresses, isAll)
    }
    let wantsUsers = children.contains { $0.name == "incominguser" }
    if wantsUsers, target.chap.isEmpty { draft.close(&target, block.place) }
  }

  private mutating func addAddresses(
    _ addresses: [Directive], _ target: inout TargetConfiguration.Target
  ) {
    var entry = TargetConfiguration.AccessEntry(initiator: nil)
    var seen: Set<AddressPattern> = []
    for address in addresses {
      guard let pattern = draft.addressPattern(address.value, address.place) else { continue }
      if seen.insert(pattern).inserted { entry.addresses.append(pattern) }
    }
    // An entry without addresses would mean everybody.
    guard !entry.addresses.isEmpty, let place = addresses.first?.place else { return }
    draft.addEntry(entry, to: &target, place)
  }

  private mutating func explain(_ names: [Directive], _ addresses: [Directive], _ isAll: Bool) {
    guard let place = names.first?.place else { return }
    if isAll || addresses.isEmpty {
      draft.note(
        place,
        "tgt lets every address in here, and some versions ask for the name only besides it: only "
          + "the initiators that are named get in")
    } else {
      draft.note(
        place,
        "in tgt an initiator gets in by its name or by its address (before 2022 both had to "
          + "match): the names and the addresses are entries of their own here. To ask for both, "
          + "write \"addresses\" into the entries with names and remove the entry for any name")
    }
  }
}
