internal import AdministrationModel
internal import ArgumentParser
internal import CommandSupport
internal import TargetConfig

extension LUNCommand {
  struct Add: DaemonCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds a LUN, and its target and store if they are missing.",
      discussion: """
        All of it is made in one step, or nothing. The number is the lowest free one from 1 on, \
        unless --lun. A file that does not exist is made, sparse, with --size. Where nobody may \
        log in yet, it says how to allow it. Given again, it finds everything made; what is \
        there and is not as the options say is left as it is and refused.

        EXAMPLES
          swift-tgtadm lun add --target iqn.2026-11.com.example:disk1 \\
            --file /srv/a.img --size 100GiB --initiator iqn.2026-11.com.example:node1
          swift-tgtadm lun add --target iqn.2026-11.com.example:disk1 --block /dev/md0
          swift-tgtadm lun add --target iqn.2026-11.com.example:disk2 --store quorum

        \(ExitCode.help)
        """)

    @OptionGroup var place: LUNPlace

    @Option(
      help: ArgumentHelp(
        "Its number, 0 to \(TargetConfiguration.LUN.numberMax); else one is chosen.",
        valueName: "number"))
    var lun: UInt16?

    @Option(
      help: ArgumentHelp(
        "A store that exists, or a name for the new one; else made from the path.",
        valueName: "name"))
    var store: String?

    @OptionGroup var medium: Medium

    @Flag(help: "Refuse writes to this LUN.")
    var readOnly = false

    @OptionGroup var admission: Admission
    @OptionGroup var flags: ChangeFlags
    @OptionGroup var global: GlobalOptions

    func validate() throws {
      guard medium.isGiven || store != nil else {
        throw ValidationError("give --file, --block, --memory or --store")
      }
      if place.initiator != nil, !admission.isNobody {
        throw ValidationError("--for names an entry that exists: leave --initiator and --any out")
      }
    }

    func run(_ daemon: any Daemon, _ console: any Console) async throws {
      var plan = LUNPlan(self)
      try await plan.look(at: daemon)
      var answer = await plan.make(daemon, flags.options)
      if case .failure(let error) = answer, plan.mayHaveStoreElsewhere(error),
        // Only now: all stores are a lot to ask for.
        let known = try await daemon.stores(named: nil).first(where: { $0.path == medium.path })
      {
        plan = LUNPlan(self)
        try await plan.look(at: daemon, storeOfPath: known)
        answer = await plan.make(daemon, flags.options)
      }
      try await report(plan, try answer.get(), daemon, console)
    }

    private func report(
      _ plan: LUNPlan, _ result: ChangeResult, _ daemon: any Daemon, _ console: any Console
    ) async throws {
      if global.json {
        try console.writeJSON(result)
        return
      }
      guard !flags.options.dryRun else {
        try console.show(result, dryRun: true, asJSON: false, "")
        return
      }
      let target = try await daemon.target(place.target)
      let number = result.outcomes.lazy.compactMap(\.lun).last?.lun ?? plan.existing?.lun
      let luns = try place.luns(of: target)
      guard let lun = luns.first(where: { $0.lun == number ?? lun }) else {
        throw Refusal(.software, "the daemon does not say which LUN it made")
      }
      let hints = Hints(
        target, portals: try await daemon.portals(), machine: Invocation.current.machine)
      try console.show(
        result, dryRun: false, asJSON: false, plan.text(lun, of: target, hints))
    }
  }
}

/// What `lun add` has to make, and what is there already.
struct LUNPlan {
  private let command: LUNCommand.Add
  /// So many media of one name are no accident: then --store has to say one.
  private static let nameCountMax = 16
  private(set) var changes: [Change] = []
  /// The LUN is there.
  private(set) var existing: LUNResource?
  private var storeName = ""
  private var makesStore = false
  private var makesTarget = false

  init(_ command: LUNCommand.Add) { self.command = command }

  /// Asks the daemon for what the command names, and for no more than that: there may be thousands.
  mutating func look(
    at daemon: any Daemon, storeOfPath known: StoreResource? = nil
  ) async throws {
    if let known {
      storeName = known.name
      if let problem = contradiction(known) { throw problem }
    } else {
      try await planStore(daemon)
    }
    let target = try await target(by: daemon)
    planTarget(target)
    if let target, let lun = try lun(of: target) {
      existing = lun
      return
    }
    let lun = LUNSpecification(
      lun: command.lun, store: storeName, readOnly: command.readOnly ? true : nil)
    changes.append(
      .addLUN(
        Change.LUNAddition(
          target: command.place.target, entry: command.place.entry, lun)))
  }

  /// nil: it has to be made. One that is made has no entry yet that --for could name.
  private func target(by daemon: any Daemon) async throws -> TargetResource? {
    let name = command.place.target
    return try await command.place.entry == nil
      ? daemon.targetIfAny(name) : daemon.target(name)
  }

  func make(
    _ daemon: any Daemon, _ options: ChangeOptions
  ) async -> Result<ChangeResult, AdministrationError> {
    do throws(AdministrationError) {
      guard !changes.isEmpty else {
        var result = ChangeResult(outcomes: [ChangeOutcome(lun: existing)])
        if !options.runtimeOnly, try await daemon.status().hasUnsavedChanges {
          result.warnings = ["what runs is not all in the file: swift-tgtadm config save writes it"]
        }
        return .success(result)
      }
      return .success(try await daemon.change(ChangeRequest(changes, options)))
    } catch {
      return .failure(error)
    }
  }

  /// The medium of the new store may be one of another name already.
  func mayHaveStoreElsewhere(_ error: AdministrationError) -> Bool {
    guard makesStore, command.store == nil, command.medium.path != nil else { return false }
    return error.code == .conflict || error.code == .invalid
  }

  /// Where the target has the store under a number already, that is the LUN, unless another number
  /// was asked for.
  private func lun(of target: TargetResource) throws -> LUNResource? {
    let luns = try command.place.luns(of: target).filter { lun in
      lun.store == storeName && (command.lun == nil || command.lun == lun.lun)
    }
    guard command.readOnly, let writable = luns.first else { return luns.first }
    if let lun = luns.first(where: { $0.readOnly }) { return lun }
    throw AdministrationError(
      .conflict,
      "LUN \(writable.lun) of \(target.name) is writable, not read-only: nothing was changed",
      remedy: "leave out --read-only, or give another number with --lun")
  }

  // MARK: Store

  private mutating func planStore(_ daemon: any Daemon) async throws {
    let medium = command.medium
    var name = command.store ?? medium.suggestedName
    storeName = name
    var number = 1
    while let found = try await daemon.storeIfAny(name) {
      storeName = name
      guard let problem = contradiction(found) else { return }
      // A chosen name that is taken by another medium is no mistake of who wrote the command.
      guard command.store == nil, medium.memory || medium.path != found.path else {
        throw problem
      }
      guard number < Self.nameCountMax else { throw problem }
      number += 1
      name = "\(medium.suggestedName)-\(number)"
    }
    storeName = name
    guard medium.isGiven else {
      throw AdministrationError(
        .notFound, "there is no store \(name)",
        remedy: "give --file, --block or --memory to make it; see swift-tgtadm store list")
    }
    makesStore = true
    changes.append(.addStore(try medium.specification(name: name)))
  }

  /// Why a store that exists is not the one that the command describes.
  private func contradiction(_ store: StoreResource) -> AdministrationError? {
    if let problem = otherMedium(store) { return problem }
    return command.medium.claims(about: store).lazy.compactMap { $0.refusal(of: store) }.first
  }

  private func otherMedium(_ store: StoreResource) -> AdministrationError? {
    let medium = command.medium
    guard let kind = medium.kind else { return nil }
    if medium.path != store.path {
      let where_ = store.path.map { " is at \($0)" } ?? " is of kind \(store.kind.rawValue)"
      return AdministrationError(
        .conflict, "store \(store.name)\(where_)", remedy: "give another name with --store")
    }
    if medium.memory, command.store == nil {
      return AdministrationError(
        .conflict, "store \(store.name) exists", remedy: "give another name with --store")
    }
    guard kind != store.kind else { return nil }
    let place = store.path.map { " (\($0))" } ?? ""
    return AdministrationError(
      .conflict,
      "store \(store.name)\(place) is of kind \(store.kind.rawValue), not \(kind.rawValue): "
        + "nothing was changed",
      remedy: "leave out --\(kind.rawValue) and give --store "
        + FilePath.shellQuoted(store.name) + ", or use another store")
  }

  // MARK: Target

  private mutating func planTarget(_ target: TargetResource?) {
    let (admission, name) = (command.admission, command.place.target)
    guard let target else {
      makesTarget = true
      var specification = TargetSpecification(name: name)
      // Another administrator may make it meanwhile; then its own access list counts.
      specification.ifMissing = true
      admission.admit(to: &specification)
      changes.append(.addTarget(specification))
      return
    }
    let known = Set(target.acl.map(\.initiator))
    for initiator in admission.initiators where !known.contains(initiator) {
      changes.append(
        .addACLEntry(
          Change.EntryAddition(target: name, AccessEntrySpecification(initiator: initiator))))
    }
    if admission.any, !target.isOpenToAny {
      changes.append(.setTarget(Change.TargetKeys(name, ["initiators": "any"])))
    }
  }

  // MARK: Report

  func text(_ lun: LUNResource, of target: TargetResource, _ hints: Hints) -> String {
    var details = Details()
    details.add("Target", target.name + (makesTarget ? " (new)" : ""))
    details.add("LUN", "\(lun.lun)" + (existing == nil ? " (new)" : ""))
    let size = Quantity.size(lun.sizeBytes).map { ", \($0)" } ?? ""
    let path = makesStore ? command.medium.path.map { ": \($0)" } ?? "" : ""
    details.add("Store", lun.store + (makesStore ? " (new)" : "") + path + size)
    details.add("WWID", lun.wwn)
    details.add("Access", Self.access(target))
    let isClosed = target.acl.isEmpty && !target.isOpenToAny
    let advice = isClosed ? Hints.nobodyYet(target.name) + "\n" : ""
    return details.text + "\n" + advice + hints.node(wwid: lun.wwn)
  }

  private static func access(_ target: TargetResource) -> String {
    // Several entries may be for one initiator at different addresses.
    var seen: Set<String> = []
    let names = (target.acl.map(\.initiator) + (target.isOpenToAny ? ["any"] : []))
      .filter { seen.insert($0).inserted }
    return names.isEmpty ? "nobody" : names.joined(separator: ", ")
  }
}

extension Administrator {
  fileprivate func storeIfAny(
    _ name: String
  ) async throws(AdministrationError) -> StoreResource? {
    do { return try await store(name) } catch {
      guard error.code == .notFound else { throw error }
      return nil
    }
  }
}

/// What an option says of a store, beside what a store that exists has.
private struct StoreClaim {
  var option: String
  /// Before the value; a size needs none.
  var noun: String
  var wanted: String
  /// nil: not known while the medium is missing.
  var present: String?
  /// nil: there is nothing else to advise.
  var otherRemedy: String? = "use another store"

  func refusal(of store: StoreResource) -> AdministrationError? {
    guard wanted != present else { return nil }
    let subject = noun.isEmpty ? "" : noun + " "
    let sentence =
      present.map { "store \(store.name) has \(subject)\($0), not \(wanted)" }
      ?? "whether store \(store.name) has \(subject)\(wanted) is not known now"
    return AdministrationError(
      .conflict, sentence + ": nothing was changed",
      remedy: "leave out \(option)" + (otherRemedy.map { ", or \($0)" } ?? ""))
  }
}

extension Medium {
  fileprivate var kind: StoreKind? {
    if file != nil { return .file }
    if block != nil { return .block }
    return memory ? .memory : nil
  }

  /// All that the options say: what is given and cannot be held against the store is not dropped.
  fileprivate func claims(about store: StoreResource) -> [StoreClaim] {
    var claims: [StoreClaim] = []
    if let ofSize = sizeClaim(about: store) { claims.append(ofSize) }
    func add(_ option: String, _ noun: String, _ wanted: String?, _ present: String?) {
      guard let wanted else { return }
      claims.append(StoreClaim(option: option, noun: noun, wanted: wanted, present: present))
    }
    add(
      "--block-size", "block size", blockSize.map { "\($0.bytes)" }, store.blockSize.map { "\($0)" }
    )
    add("--cache", "cache", cache?.rawValue, store.cache)
    add("--discard", "discard", discard?.rawValue, store.discard)
    add("--naa", "NAA identifier", naa?.lowercased(), store.wwn?.lowercased())
    add("--serial", "serial number", serial, store.serial)
    return claims
  }

  private func sizeClaim(about store: StoreResource) -> StoreClaim? {
    guard let size, let wanted = try? size.bytes() else { return nil }
    let now = store.sizeBytes
    // Two sizes may round to the same words.
    let isExact = now.map { $0 != wanted && Quantity.size($0) == Quantity.size(wanted) } ?? false
    func text(_ bytes: UInt64) -> String { isExact ? "\(bytes) bytes" : Quantity.size(bytes) }
    var claim = StoreClaim(
      option: "--size", noun: "", wanted: text(wanted), present: now.map { text($0) })
    // Whoever asks for a LUN does not ask for data to be cut off.
    let isLarger = now.map { wanted > $0 } ?? false
    claim.otherRemedy =
      isLarger
      ? "swift-tgtadm store resize \(FilePath.shellQuoted(store.name)) --size "
        + FilePath.shellQuoted(size.text) : nil
    return claim
  }
}
