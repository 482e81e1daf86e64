/// What a logical unit must answer: a disk, reservations, the mode parameters that matter, and the
/// unit attentions of each node. Every function is a command and answers as `UnitBench.Outcome`
/// does.
struct UnitModel {
  var disk: ModelDisk
  var reservations = ModelReservations()
  var isWriteProtected = false
  var hasWriteCache = true
  var usesDescriptorSense = false
  var reportsTaskAborted = true
  private var attentions: [[String]]

  static let outOfRange = "05/21/00"
  static let invalidField = "05/24/00"
  static let good = "good"

  init(blockBytes: Int, blocks: Int) {
    disk = ModelDisk(blockBytes: blockBytes, blocks: blocks)
    // Power on.
    attentions = [[String]](repeating: ["06/29/01"], count: UnitBench.nodeCount)
  }

  func isReadOnly(_ node: Int) -> Bool { node == UnitBench.nodeCount - 1 }

  // MARK: Unit attentions

  mutating func tell(_ node: Int, _ code: String) {
    if !attentions[node].contains(code) { attentions[node].append(code) }
  }

  func hasAttention(_ node: Int) -> Bool { !attentions[node].isEmpty }

  mutating func takeAttention(_ node: Int) -> String? {
    attentions[node].isEmpty ? nil : attentions[node].removeFirst()
  }

  mutating func reset() {
    reservations.reset()
    // Nothing was ever saved.
    hasWriteCache = true
    isWriteProtected = false
    usesDescriptorSense = false
    reportsTaskAborted = true
    attentions = [[String]](repeating: ["06/29/03"], count: UnitBench.nodeCount)
  }

  // MARK: Admission

  enum Right { case none, changesMedium, changesUnit }

  /// What keeps the command from running: a unit attention that tells of a reset, a reservation,
  /// any other unit attention, protection, in this order (SAM-5 §5.3.3).
  mutating func refusal(
    _ node: Int, _ rule: ModelReservations.Rule, _ right: Right = .none
  ) -> String? {
    let tellsOfReset = attentions[node].first?.hasPrefix("06/29/") ?? false
    if !tellsOfReset, !reservations.admits(rule, node) { return "reservationConflict" }
    if let attention = takeAttention(node) { return attention }
    switch right {
    case .none: return nil
    case .changesMedium: return isReadOnly(node) || isWriteProtected ? "07/27/00" : nil
    case .changesUnit: return isReadOnly(node) ? "05/20/02" : nil
    }
  }

  // MARK: Blocks

  mutating func write(_ node: Int, _ lba: UInt64, _ count: UInt64, _ out: [UInt8]) -> String {
    if let refusal = refusal(node, .write, .changesMedium) { return refusal }
    guard disk.exists(lba, count) else { return Self.outOfRange }
    // Blocks that the initiator does not send whole are not written.
    let given = min(out.count, Int(count) * disk.blockBytes) / disk.blockBytes * disk.blockBytes
    disk.write(lba, out, count: given)
    return Self.good
  }

  mutating func read(_ node: Int, _ lba: UInt64, _ count: UInt64) -> (String, [UInt8]) {
    if let refusal = refusal(node, .read) { return (refusal, []) }
    guard disk.exists(lba, count) else { return (Self.outOfRange, []) }
    return (Self.good, disk.bytes(lba, count))
  }

  mutating func verify(
    _ node: Int, _ lba: UInt64, _ count: UInt64, check: Int, _ out: [UInt8]
  ) -> String {
    if let refusal = refusal(node, .read) { return refusal }
    guard disk.exists(lba, count) else { return Self.outOfRange }
    switch check {
    case 0: return Self.good
    case 1:
      let given = min(out.count, Int(count) * disk.blockBytes) / disk.blockBytes * disk.blockBytes
      return disk.holds(lba, out, count: given) ? Self.good : "0E/1D/00"
    default:
      if count == 0 { return Self.good }
      guard out.count >= disk.blockBytes else { return Self.invalidField }
      let isSame = (0..<count).allSatisfy { disk.holds(lba + $0, out, count: disk.blockBytes) }
      return isSame ? Self.good : "0E/1D/00"
    }
  }

  mutating func writeSame(
    _ node: Int, _ lba: UInt64, _ wanted: UInt64, unmaps: Bool, anchors: Bool, hasData: Bool,
    _ out: [UInt8]
  ) -> String {
    if let refusal = refusal(node, .write, .changesMedium) { return refusal }
    guard disk.exists(lba, wanted) else { return Self.outOfRange }
    if anchors, !unmaps { return Self.invalidField }
    if hasData, out.count != disk.blockBytes { return Self.invalidField }
    let count = wanted == 0 ? UInt64(disk.blocks) - lba : wanted
    if hasData, out.contains(where: { $0 != 0 }) {
      disk.repeatBlock(lba, count, out)
    } else {
      // Zeros that are written may be anchored, too (SBC-3 §4.7.4).
      disk.unmap(lba, count, anchors: anchors || !unmaps)
    }
    return Self.good
  }

  mutating func unmap(
    _ node: Int, _ ranges: [(lba: UInt64, count: UInt64)], anchors: Bool
  ) -> String {
    if let refusal = refusal(node, .write, .changesMedium) { return refusal }
    guard ranges.allSatisfy({ disk.exists($0.lba, $0.count) }) else { return Self.outOfRange }
    for range in ranges { disk.unmap(range.lba, range.count, anchors: anchors) }
    return Self.good
  }

  /// GET LBA STATUS: whole descriptors as far as they fit, and always the first.
  mutating func blockStates(_ node: Int, _ lba: UInt64, room: Int) -> (String, [UInt8]) {
    if let refusal = refusal(node, .read) { return (refusal, []) }
    guard disk.exists(lba, 1) else { return (Self.outOfRange, []) }
    let descriptors = disk.states(from: lba).prefix(max(1, (room - 8) / 16))
      .flatMap { run -> [UInt8] in
        bigEndian(run.lba, 8) + bigEndian(run.count, 4) + [run.state.rawValue, 0, 0, 0]
      }
    let data = bigEndian(UInt64(descriptors.count + 4), 4) + [0, 0, 0, 0] + descriptors
    return (Self.good, Array(data.prefix(room)))
  }

  mutating func compareAndWrite(
    _ node: Int, _ lba: UInt64, _ count: UInt64, _ out: [UInt8]
  ) -> String {
    if let refusal = refusal(node, .write, .changesMedium) { return refusal }
    guard disk.exists(lba, count) else { return Self.outOfRange }
    let half = Int(count) * disk.blockBytes
    guard out.count == 2 * half else { return Self.invalidField }
    guard disk.holds(lba, out, count: half) else { return "0E/1D/00" }
    disk.write(lba, Array(out[half...]), count: half)
    return Self.good
  }

  mutating func unite(_ node: Int, _ lba: UInt64, _ count: UInt64, _ out: [UInt8]) -> String {
    if let refusal = refusal(node, .write, .changesMedium) { return refusal }
    guard disk.exists(lba, count) else { return Self.outOfRange }
    disk.unite(lba, out)
    return Self.good
  }

  /// A command that has a range and leaves no trace.
  mutating func touch(
    _ node: Int, _ lba: UInt64, _ count: UInt64, _ rule: ModelReservations.Rule
  ) -> String {
    if let refusal = refusal(node, rule) { return refusal }
    return disk.exists(lba, count) ? Self.good : Self.outOfRange
  }

  // MARK: Reservations

  mutating func reserveOut(
    _ node: Int, _ action: UInt8, scopeAndType: UInt8, key: UInt64, other: UInt64
  ) -> String {
    if let refusal = refusal(node, .reserveOut, .changesUnit) {
      return refusal
    }
    let answer = reservations.apply(
      action, node, scopeAndType: scopeAndType, key: key, other: other)
    for news in reservations.attentions { tell(news.node, news.code) }
    reservations.attentions = []
    return answer
  }

  mutating func reserve(_ node: Int) -> String {
    refusal(node, .reserve, .changesUnit) ?? reservations.reserve(node)
  }

  mutating func release(_ node: Int) -> String {
    refusal(node, .release) ?? reservations.release(node)
  }

  // MARK: Mode parameters

  /// Changes them by `node`, whom alone nobody tells.
  mutating func select(
    _ node: Int, writeCache: Bool, descriptorSense: Bool, writeProtect: Bool, taskAborted: Bool
  ) {
    let hasChanged =
      hasWriteCache != writeCache || usesDescriptorSense != descriptorSense
      || isWriteProtected != writeProtect || reportsTaskAborted != taskAborted
    hasWriteCache = writeCache
    usesDescriptorSense = descriptorSense
    isWriteProtected = writeProtect
    reportsTaskAborted = taskAborted
    guard hasChanged else { return }
    for other in 0..<UnitBench.nodeCount where other != node { tell(other, "06/2A/01") }
  }
}
