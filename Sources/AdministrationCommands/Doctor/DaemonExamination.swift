internal import AdministrationModel
internal import TargetConfig

/// What the daemon's answers tell.
struct DaemonExamination {
  private let reading: DaemonReading
  /// The configuration file, as far as it was looked at itself.
  private let examinedFile: String?
  private let machine: any Machine

  init(_ reading: DaemonReading, examinedFile: String?, machine: any Machine) {
    self.reading = reading
    self.machine = machine
    self.examinedFile = examinedFile
  }

  var all: [Examination] {
    [Examination("portals listen", portals), Examination("stores are online", stores)] + media
      + others
  }

  private var others: [Examination] {
    [
      Examination("every WWID is given once", identities),
      Examination("every target has LUNs and somebody who may log in", targets),
      Examination("every entry of an access list can match", entries),
      Examination("no door is open", openDoors),
      Examination(
        "no login was refused in the last hour",
        RefusalExamination(reading).findings),
      Examination("the daemon has nothing to complain of", daemon),
    ]
  }

  // MARK: Portals, stores

  private var portals: [Diagnosis] {
    let closed = reading.portals.filter { !$0.isListening }
    var findings = closed.map { portal in
      Diagnosis.wrong(
        "portal \(portal.address) does not listen: \(portal.reason ?? "no reason is known")",
        why: "no node can connect there",
        remedy: "find who has the port: ss -ltnp; or: swift-tgtadm portal remove \(portal.address)")
    }
    if reading.portals.isEmpty {
      findings.append(
        .wrong(
          "there is no portal", why: "no node can connect",
          remedy: "swift-tgtadm portal add 0.0.0.0:3260"))
    }
    return findings
  }

  private var stores: [Diagnosis] {
    reading.stores.compactMap { store in
      let path = store.path.map { " (\($0))" } ?? ""
      let reason = store.reason.map { ": \($0)" } ?? ""
      switch store.state {
      case .online: return nil
      case .offline:
        return .wrong(
          "store \(store.name)\(path) is offline\(reason)",
          why: "its LUNs answer NOT READY; it comes back by itself when the medium does",
          remedy: remedy(forOffline: store))
      case .full:
        return .wrong(
          "store \(store.name)\(path) is full\(reason)",
          why: "writes to it fail with SPACE ALLOCATION FAILED until there is room",
          remedy: remedy(forFull: store))
      case .endangered:
        return .wrong(
          "store \(store.name)\(path) is endangered\(reason)",
          why: "it serves by the file or device that is still open; the next start does not",
          remedy: store.remedy ?? "swift-tgtadm store show \(store.name)")
      }
    }
  }

  private var media: [Examination] {
    // Where no file says where they are, none of them is anywhere else.
    guard let file = reading.status.configurationFile else { return [] }
    let subject = "media are where the configuration says"
    switch reading.remarks {
    case .success(let remarks): return [Examination(subject, remarks.compactMap(finding))]
    case .failure(let error):
      // That the file is not there, or not valid, has been told where it was looked at.
      if error.code == .invalid, file == examinedFile { return [] }
      return [Examination(subject, [unknownMedia(error)])]
    }
  }

  /// Only of what somebody has to do something about.
  private func finding(_ remark: MediumRemark) -> Diagnosis? {
    remark.remedy.map {
      Diagnosis.wrong(
        "\(remark.path): \(remark.message)",
        why: "a store's name is its disk, to whatever file or device its path leads", remedy: $0)
    }
  }

  private func unknownMedia(_ error: AdministrationError) -> Diagnosis {
    .wrong(
      "media could not be compared with the configuration file: \(error.message)",
      why: "a store may lead to another file or device than the file says, and nobody has looked",
      remedy: error.remedy ?? "look again, later: swift-tgtadm config diff")
  }

  private func remedy(forFull store: StoreResource) -> String {
    guard let path = store.path else { return "make room" }
    return store.kind == .block
      ? "make room where it takes its own from, such as a thin pool: lvs"
      : "make room: df -h \(FilePath.shellQuoted(path))"
  }

  private func remedy(forOffline store: StoreResource) -> String {
    // What is to be done first: it may be lost with the next start.
    if let remedy = store.remedy { return remedy }
    guard let path = store.path else { return "swift-tgtadm store show \(store.name)" }
    return switch store.reasonCode {
    // A lock that another process has is the reason that people find hardest to see.
    case .mediumTaken: remedy(forTaken: store, path)
    case .mediumMissing: remedy(forMissing: store, path)
    case .reservationsDamaged, .writesRefused: "journalctl -u swift-tgtd names the file"
    // Whoever looks at it would hang, too.
    case .mediumHangs: "see what the kernel says of its disk: dmesg -T | tail"
    case .beingOpened, .mediumUnusable, .mediumFull, .mediumDeleted, .mediumMoved, .mediumReplaced,
      .mediumCut, nil:
      "look at it: ls -lL \(FilePath.shellQuoted(path))"
    }
  }

  private func remedy(forTaken store: StoreResource, _ path: String) -> String {
    let quoted = FilePath.shellQuoted(path)
    let more = store.kind == .block ? "lsblk \(quoted)" : "lslocks"
    let look = "find who has it: fuser -v \(quoted); \(more)"
    guard let owner = machine.lockOwner(of: path), let process = owner.process else { return look }
    return "\(owner.words) holds its lock: end it, or take the store from it; ps -fp \(process)"
  }

  private func remedy(forMissing store: StoreResource, _ path: String) -> String {
    let directory = FilePath.directory(of: path)
    let remove = "or give it up: swift-tgtadm store remove \(store.name)"
    guard store.kind == .file else {
      return "find where the device went: lsblk; ls -l /dev/disk/by-id; \(remove)"
    }
    let quoted = FilePath.shellQuoted(path)
    guard machine.facts(of: directory) != nil else {
      return "there is no directory \(directory): mount its file system, as of findmnt --verify, "
        + "or make it; \(remove)"
    }
    return "put the file back, mount what should be on \(directory) (findmnt -T "
      + "\(FilePath.shellQuoted(directory))), or begin empty: touch \(quoted); \(remove)"
  }

  private var identities: [Diagnosis] {
    let groups = Dictionary(grouping: reading.stores.filter { $0.wwn != nil }) { $0.wwn ?? "" }
    return groups.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { wwn, stores in
      let names = stores.map(\.name).joined(separator: ", ")
      return .wrong(
        "stores \(names) have the same WWID \(wwn)",
        why: "multipath takes them for one disk, and mixes their data",
        remedy: "remove \"naa\" from all but one of them, or give each its own")
    }
  }

  // MARK: Targets

  private var targets: [Diagnosis] {
    reading.targets.flatMap { target -> [Diagnosis] in
      var findings: [Diagnosis] = []
      let name = FilePath.shellQuoted(target.name)
      if target.acl.isEmpty, !target.isOpenToAny {
        findings.append(
          .wrong(
            "nobody may log in to \(target.name)",
            why: "its access list is empty, and discovery does not show it",
            remedy: "swift-tgtadm acl add --target \(name) INITIATOR"))
      }
      if target.luns.isEmpty, target.acl.allSatisfy({ $0.luns?.isEmpty ?? true }) {
        findings.append(
          .advice(
            "\(target.name) has no LUN", why: "who logs in sees no disk",
            remedy: "swift-tgtadm lun add --target \(name) --file PATH --size SIZE"))
      }
      let groups = Set(reading.portals.filter(\.isListening).map(\.group))
      if let wanted = target.portalGroups, groups.isDisjoint(with: wanted) {
        let list = wanted.map { "\($0)" }.joined(separator: ", ")
        findings.append(
          .wrong(
            "no portal of \(target.name) listens: it is served by group \(list)",
            why: "no node can reach it",
            remedy: "swift-tgtadm portal add ADDRESS:3260 --group \(wanted.first ?? 1)"))
      }
      return findings
    }
  }

  private var entries: [Diagnosis] {
    reading.targets.flatMap { target in
      target.acl.indices.compactMap { index in
        mismatch(of: target.acl[index], behind: target.acl[..<index], in: target)
      }
    }
  }

  private func mismatch(
    of entry: AccessEntryResource, behind earlier: ArraySlice<AccessEntryResource>,
    in target: TargetResource
  ) -> Diagnosis? {
    let place = "the entry \(entry.initiator) of \(target.name)"
    if let first = earlier.first(where: { $0.covers(entry) }) {
      return .wrong(
        "\(place) never counts: \(first.initiator) before it matches first",
        why: "the first entry that matches decides",
        remedy: "swift-tgtadm acl remove one of them, and swift-tgtadm acl add it again with "
          + "--index")
    }
    if entry.initiator != "any", let problem = ISCSIName.warning(for: entry.initiator) {
      return .wrong(
        "\(place) looks like a typing error: it \(problem)",
        why: "names are compared as a whole, and no node is likely to have this one",
        remedy: "compare with the node: cat /etc/iscsi/initiatorname.iscsi")
    }
    let listening = reading.portals.filter(\.isListening)
    let isReachable =
      entry.addresses.isEmpty || listening.isEmpty
      || entry.addresses.contains { address in
        listening.contains { $0.mayBeReached(fromV6: address.contains(":")) }
      }
    guard !isReachable else { return nil }
    return .wrong(
      "\(place) matches nobody: no portal is of the family of \(entry.addresses.joined(separator: ", "))",
      why: "connections come in with the family of the portal",
      remedy: "swift-tgtadm portal add, or other addresses for the entry")
  }

  private var openDoors: [Diagnosis] {
    reading.targets.filter(\.isOpenDoor).map { target in
      .advice(
        "everybody who reaches a portal may use \(target.name)",
        why: "there is neither an access list that ends, nor a CHAP user",
        remedy: "if it is not meant so: swift-tgtadm acl add the nodes, then take \"any\" away; "
          + "or swift-tgtadm chap add --target \(FilePath.shellQuoted(target.name)) USER")
    }
  }

  // MARK: Daemon

  private var daemon: [Diagnosis] {
    let status = reading.status
    var findings: [Diagnosis] = []
    if status.hasUnsavedChanges {
      findings.append(
        .advice(
          "what runs is not what the configuration file says",
          why: "the next start, or swift-tgtadm config reload, brings back what the file says",
          remedy: "swift-tgtadm config diff; then swift-tgtadm config save, or swift-tgtadm config "
            + "reload"))
    }
    findings += status.problems.filter { !isTold($0) }.map(finding)
    return findings
  }

  private func finding(_ problem: StatusProblem) -> Diagnosis {
    let remedy = problem.remedy ?? "journalctl -u swift-tgtd"
    guard problem.file != nil, reading.status.configurationFileState == .edited else {
      return .wrong(problem.message, why: "the daemon reports it itself", remedy: remedy)
    }
    return .advice(
      problem.message,
      why: "until swift-tgtadm config reload the daemon writes no change to it", remedy: remedy)
  }

  /// Whether the stores and portals said so already.
  private func isTold(_ problem: StatusProblem) -> Bool {
    if let name = problem.store {
      return reading.stores.contains { $0.name == name && $0.state != .online }
    }
    if let file = problem.file {
      return file == examinedFile && reading.status.configurationFileState != .edited
    }
    if let address = problem.portal {
      return reading.portals.contains { $0.address == address && !$0.isListening }
    }
    return false
  }
}

extension AccessEntryResource {
  /// Whether it matches wherever `other` does, as far as texts tell.
  fileprivate func covers(_ other: AccessEntryResource) -> Bool {
    guard initiator == "any" || initiator == other.initiator else { return false }
    guard !addresses.isEmpty else { return true }
    return !other.addresses.isEmpty && Set(other.addresses).isSubset(of: addresses)
  }
}

extension PortalResource {
  /// A socket on [::] takes IPv4 only where the system says so; then there is one for it, too.
  fileprivate func mayBeReached(fromV6 isV6: Bool) -> Bool { address.hasPrefix("[") == isV6 }
}

extension TargetResource {
  /// Somebody without a name or a secret gets in.
  fileprivate var isOpenDoor: Bool {
    if isOpenToAny, chapUsers.isEmpty { return true }
    return acl.contains {
      $0.initiator == "any" && $0.addresses.isEmpty && $0.chapUsers.isEmpty && chapUsers.isEmpty
    }
  }
}
