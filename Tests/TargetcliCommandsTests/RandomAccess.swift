import AdministrationModel
import Bytes
import TargetConfig

/// Lines of targetcli and other programs' changes in a random order, each judged once it is made.
struct RandomAccess {
  /// What was done, for whoever reads of a failure.
  private(set) var log: [String] = []
  private(set) var acceptedCount = 0

  private var generator: SplitMix64
  private let bench: Bench
  private var record = AccessRecord()
  private var saved: Saved?
  private var secretCount = 0
  private var isEnabled = true

  private struct Saved {
    var record: AccessRecord
    var target: TargetConfiguration.Target
    var isEnabled: Bool
  }

  private static let file = "/tmp/saved.json"

  init(seed: UInt64) throws {
    generator = SplitMix64(seed: seed)
    bench = try Bench(serving: "a", "b", "c", to: #""acl": []"#)
  }

  /// What is wrong then; nil: nothing.
  mutating func step() async throws -> String? {
    switch Int.random(in: 0..<100, using: &generator) {
    case ..<30: try await changeElsewhere()
    case ..<32: try await save()
    case ..<34: return try await restore()
    case ..<42: return try await disableAndEnable()
    default: return try await run(line()).complaint
    }
    return nil
  }

  // MARK: Steps

  /// A line that is refused leaves everything as it was.
  private mutating func run(
    _ line: AccessLine
  ) async throws -> (isAccepted: Bool, complaint: String?) {
    let (before, notes) = (try bench.daemon.configuration, bench.notes)
    let target = try bench.target
    let run = await bench("\(line)")
    log.append("\(line)" + (run.errors.isEmpty ? "" : "\n    \(run.errors)"))
    guard run.code == 0 else {
      let isSame = try bench.daemon.configuration == before && bench.notes == notes
      return (false, isSame ? nil : "a line that was refused has changed something")
    }
    acceptedCount += 1
    if case .enable(let value) = line { isEnabled = value }
    let after = try bench.target
    let complaint = record.complaint(about: line, remarks: run.errors, from: target, to: after)
    if complaint == nil, !isEnabled, after.letsInEverybody || !after.acl.isEmpty {
      return (true, "somebody gets in, though it is disabled")
    }
    return (true, complaint)
  }

  /// Whoever got in gets in again, and nobody else.
  private mutating func disableAndEnable() async throws -> String? {
    guard isEnabled else { return nil }
    // Changes nothing but that whom another program has let in, though it must wait, waits already.
    let settled = try await run(.enable(true))
    guard settled.isAccepted, settled.complaint == nil else { return settled.complaint }
    let before = try bench.target
    let disabled = try await run(.enable(false))
    guard disabled.isAccepted, disabled.complaint == nil else { return disabled.complaint }
    let enabled = try await run(.enable(true))
    if let complaint = enabled.complaint { return complaint }
    guard enabled.isAccepted else { return "it is not enabled again" }
    let after = try bench.target
    return Caller.all.first { before.admission(of: $0) != after.admission(of: $0) }
      .map { "\($0) gets in otherwise than before" }
  }

  private mutating func save() async throws {
    let run = await bench("saveconfig \(Self.file)")
    log.append("saveconfig \(Self.file)")
    guard run.code == 0 else { return }
    saved = Saved(record: record, target: try bench.target, isEnabled: isEnabled)
  }

  private mutating func restore() async throws -> String? {
    guard let saved else { return nil }
    let run = await bench("restoreconfig \(Self.file) clear_existing=True")
    log.append("restoreconfig \(Self.file) clear_existing=True")
    guard run.code == 0 else { return "what was saved is not restored: \(run.errors)" }
    (record, isEnabled) = (saved.record, saved.isEnabled)
    return try bench.target == saved.target ? nil : "what is restored is not what was saved"
  }

  /// A change that the daemon refuses is none.
  private mutating func changeElsewhere() async throws {
    let before = try bench.target
    guard let change = change(of: before) else { return }
    do { try await bench.elsewhere(change) } catch { return }
    log.append("elsewhere: \(change)")
    record.changedElsewhere(from: before, to: try bench.target)
  }

  // MARK: What comes next

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &generator)]
  }

  private mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &generator) < percent
  }

  private mutating func line() -> AccessLine {
    let node = pick(Caller.nodes)
    let isOn = chance(50)
    switch Int.random(in: 0..<100, using: &generator) {
    case ..<18: return .create(node)
    case ..<28: return .delete(node)
    case ..<48: return .setAuth(node, auth(of: Caller.place(of: node)))
    case ..<60: return .setAuth(nil, auth(of: Caller.group))
    case ..<70: return .authentication(isOn)
    case ..<78: return .generateNodeACLs(isOn)
    case ..<83: return .writeProtect(isOn)
    case ..<91: return .enable(chance(60))
    case ..<95: return .createLUN(pick([1, 2, 3]), store: pick(["a", "b", "c"]))
    default: return .deleteLUN(pick([1, 2, 3]))
    }
  }

  /// Halves of a user, a whole one and none, one way and mutual.
  private mutating func auth(of place: String) -> [String] {
    let user = "userid=\(name("u", place))"
    let password = "password=\(secret("s", place))"
    let mutual = "mutual_userid=\(name("m", place))"
    let mutualPassword = "mutual_password=\(secret("r", place))"
    return pick([
      [user], [password], [user, password], [user, password], [user, password], ["userid="],
      ["password="], ["userid=", "password="], ["userid=", "password="], [mutual],
      [mutualPassword], [mutual, mutualPassword], ["mutual_userid=", "mutual_password="],
    ])
  }

  private mutating func name(_ kind: String, _ place: String) -> String {
    "\(kind)-\(place)-\(pick([0, 1]))"
  }

  /// Never the same twice.
  private mutating func secret(_ kind: String, _ place: String) -> String {
    secretCount += 1
    return "\(kind)-\(place)-\(secretCount)"
  }

  private mutating func credential(_ place: String) -> CredentialSpecification {
    CredentialSpecification(user: name("u", place), secret: SecretText(secret("s", place)))
  }

  /// What another program may do; nil: there is nothing to do it to.
  private mutating func change(of target: TargetConfiguration.Target) -> Change? {
    let iqn = Bench.iqn
    let entry = target.acl.isEmpty ? nil : pick(target.acl)
    switch Int.random(in: 0..<100, using: &generator) {
    case ..<40: return .addACLEntry(Change.EntryAddition(target: iqn, addition(target)))
    case ..<60:
      guard let entry else { return nil }
      return .removeACLEntry(Change.EntryName(target: iqn, entry.key))
    case ..<70:
      let value: JSONValue = chance(50) ? "any" : .null
      return .setTarget(Change.TargetKeys(iqn, ["initiators": value]))
    case ..<88:
      guard let entry else { return nil }
      return .setACLEntry(Change.EntryKeys(target: iqn, entry.key, users(of: entry)))
    case ..<94:
      let place = CredentialPlace(target: iqn)
      return .addCHAPUser(Change.UserAddition(credential(Caller.group), at: place))
    default:
      guard !target.chap.isEmpty else { return nil }
      let place = CredentialPlace(target: iqn)
      let user = pick(target.chap).user
      return .removeCHAPUser(Change.UserName(user, at: place, allowingOpenAccess: true))
    }
  }

  private mutating func users(
    of entry: TargetConfiguration.AccessEntry
  ) -> [String: JSONValue] {
    guard chance(60) else { return ["chap": .null, "mutualChap": .null] }
    let user = name("u", entry.place)
    let secret = secret("s", entry.place)
    return ["chap": .list([.object(["user": .text(user), "secret": .text(secret)])])]
  }

  private mutating func addition(
    _ target: TargetConfiguration.Target
  ) -> AccessEntrySpecification {
    let initiator = pick(Caller.nodes + Caller.nodes + ["any"])
    let place = Caller.place(of: initiator)
    let address = chance(40) ? nil : pick(Caller.addresses)
    var entry = AccessEntrySpecification(initiator: initiator, addresses: address.map { [$0] })
    if chance(40) { entry.readOnly = true }
    if chance(40) {
      entry.chap = [credential(place)]
      if chance(20) {
        let further = CredentialSpecification(
          user: "u-\(place)-further", secret: SecretText(secret("s", place)))
        entry.chap?.append(further)
      }
      if chance(30) {
        entry.mutualCHAP = CredentialSpecification(
          user: name("m", place), secret: SecretText(secret("r", place)))
      }
    }
    if chance(20) {
      entry.luns = target.luns.prefix(1).map { LUNSpecification(lun: $0.number, store: $0.store) }
    }
    if chance(50) { entry.index = 0 }
    return entry
  }
}
