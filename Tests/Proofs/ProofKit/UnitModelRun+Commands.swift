import TargetSimulation

// One random command, to the unit and to the model.
extension UnitModelRun {
  mutating func step() {
    switch random.pick(0...99) {
    case 0...17: write()
    case 18...31: read()
    case 32...33: blockStates()
    case 34...38: writeAndVerify()
    case 39...44: verify()
    case 45...50: writeSame()
    case 51...54: unmap()
    case 55...58: compareAndWrite()
    case 59...61: unite()
    case 62...63: preFetch()
    case 64...65: synchronize()
    case 66...81: reserveOut()
    case 82...85: reserveIn()
    case 86...88: reserveOrRelease()
    case 89...91: modes()
    case 92...98: small()
    default: if random.pick(0...19) == 0 { reset() }
    }
  }

  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[random.pick(0...values.count - 1)]
  }

  /// Mostly blocks that exist, often at the end, sometimes past it.
  private mutating func place(max: UInt64 = 64) -> (lba: UInt64, count: UInt64) {
    let blocks = UInt64(model.disk.blocks)
    let count = min(pick([0, 1, 1, 2, 3, 7, 8, 16, max]), max)
    switch random.pick(0...29) {
    case 0: return (pick([blocks, blocks + 1, 1 << 31, 0xFFFF_FFFF]), count)
    case 1: return (blocks - count, count)
    case 2: return (blocks - count + 1, count)
    default: return (random.pick(0...blocks - count), count)
    }
  }

  /// Few values, so that comparisons often succeed.
  private mutating func data(_ count: UInt64) -> [UInt8] {
    var data = [UInt8](
      repeating: random.pick(0...3), count: Int(count) * model.disk.blockBytes)
    if !data.isEmpty, random.coin() { data[random.pick(0...data.count - 1)] = random.pick(0...255) }
    return data
  }

  /// Now and then the initiator gives less or more than the command moves.
  private mutating func uneven(_ data: [UInt8]) -> [UInt8] {
    switch random.pick(0...19) {
    case 0: Array(data.prefix(data.count / 2 + 17 < data.count ? data.count / 2 + 17 : 0))
    case 1: data + [1, 2, 3]
    default: data
    }
  }

  // MARK: Blocks

  private mutating func write() {
    let (lba, count) = place()
    let out = uneven(data(count))
    let flags: UInt8 = pick([0, 8, 0x10])
    var cdb = pick([
      CDBs.ten(0x2A, lba, count, flags), CDBs.twelve(0xAA, lba, count, flags),
      CDBs.sixteen(0x8A, lba, count, flags),
    ])
    if lba < 1 << 21, count > 0, random.pick(0...5) == 0 { cdb = CDBs.six(0x0A, lba, count) }
    run(cdb, out: out, expecting: model.write(node, lba, count, out))
  }

  private mutating func read() {
    let (lba, count) = place()
    let flags: UInt8 = pick([0, 8, 0x10])
    var cdb = pick([
      CDBs.ten(0x28, lba, count, flags), CDBs.twelve(0xA8, lba, count, flags),
      CDBs.sixteen(0x88, lba, count, flags),
    ])
    if lba < 1 << 21, count > 0, random.pick(0...5) == 0 { cdb = CDBs.six(0x08, lba, count) }
    let (answer, data) = model.read(node, lba, count)
    run(cdb, expecting: answer, data: data)
  }

  private mutating func writeAndVerify() {
    let (lba, count) = place()
    let out = uneven(data(count))
    let flags: UInt8 = pick([0, 2])
    let cdb = pick([
      CDBs.ten(0x2E, lba, count, flags), CDBs.twelve(0xAE, lba, count, flags),
      CDBs.sixteen(0x8E, lba, count, flags),
    ])
    run(cdb, out: out, expecting: model.write(node, lba, count, out))
  }

  private mutating func verify() {
    let (lba, count) = place()
    let check = pick([0, 1, 3])
    var out = uneven(data(check == 1 ? count : 1))
    let covered = check == 1 ? count : min(count, 1)
    if random.coin(), model.disk.exists(lba, covered) { out = model.disk.bytes(lba, covered) }
    if check == 0 { out = [] }
    let flags = UInt8(check) << 1
    let cdb = pick([
      CDBs.ten(0x2F, lba, count, flags), CDBs.twelve(0xAF, lba, count, flags),
      CDBs.sixteen(0x8F, lba, count, flags),
    ])
    run(cdb, out: out, expecting: model.verify(node, lba, count, check: check, out))
  }

  private mutating func writeSame() {
    var (lba, count) = place()
    // 0 blocks: to the end, which is kept short.
    if count == 0 { lba = max(lba, UInt64(model.disk.blocks) - 40) }
    let hasData = random.pick(0...2) > 0
    let out = hasData ? uneven(data(1)) : []
    let unmaps = random.coin()
    // Rarely without UNMAP, where it is an error.
    let anchors = random.pick(0...(unmaps ? 1 : 9)) == 0
    let flags: UInt8 = (anchors ? 0x10 : 0) | (unmaps ? 8 : 0) | (hasData ? 0 : 1)
    let cdb =
      hasData && random.coin()
      ? CDBs.ten(0x41, lba, count, flags) : CDBs.sixteen(0x93, lba, count, flags)
    run(
      cdb, out: out,
      expecting: model.writeSame(
        node, lba, count, unmaps: unmaps, anchors: anchors, hasData: hasData, out))
  }

  private mutating func unmap() {
    let ranges = (0..<random.pick(0...3)).map { _ in place() }
    let list =
      bigEndian(UInt64(ranges.count * 16 + 6), 2) + bigEndian(UInt64(ranges.count * 16), 2)
      + [0, 0, 0, 0]
      + ranges.flatMap { bigEndian($0.lba, 8) + bigEndian($0.count, 4) + [0, 0, 0, 0] }
    let anchors = random.coin()
    let cdb =
      [0x42, anchors ? 1 : 0, 0, 0, 0, 0, 0] + bigEndian(UInt64(list.count), 2) + [0]
    run(cdb, out: list, expecting: model.unmap(node, ranges, anchors: anchors))
  }

  private mutating func blockStates() {
    blockStates(from: place().lba, room: pick([4, 24, 40, 100, 1000, 32_000]))
  }

  mutating func blockStates(from lba: UInt64, room: Int) {
    let cdb = [0x9E, 0x12] + bigEndian(lba, 8) + bigEndian(UInt64(room), 4) + [0, 0]
    let (answer, data) = model.blockStates(node, lba, room: room)
    run(cdb, expecting: answer, data: data)
    noteAnchored(stride(from: 20, to: data.count, by: 16).count { data[$0] == 2 })
  }

  private mutating func compareAndWrite() {
    guard served.contains(0x89), compareBlocksMax > 0 else { return }
    let (lba, count) = place(max: min(compareBlocksMax, 16))
    var out = data(count)
    if random.coin(), model.disk.exists(lba, count) { out = model.disk.bytes(lba, count) }
    out += data(count)
    if count > 0, model.disk.exists(lba, count), random.pick(0...19) == 0 { out.removeLast() }
    var cdb = CDBs.sixteen(0x89, lba, 0, pick([0, 8]))
    cdb[13] = UInt8(count)
    run(cdb, out: out, expecting: model.compareAndWrite(node, lba, count, out))
  }

  private mutating func unite() {
    guard served.contains(0x8B) else { return }
    let (lba, count) = place()
    let out = data(count)
    run(
      CDBs.sixteen(0x8B, lba, count, pick([0, 8])), out: out,
      expecting: model.unite(node, lba, count, out))
  }

  private mutating func preFetch() {
    guard served.contains(0x34), served.contains(0x90) else { return }
    let (lba, count) = place()
    let cdb = random.coin() ? CDBs.ten(0x34, lba, count) : CDBs.sixteen(0x90, lba, count)
    let answer = model.touch(node, lba, count, .read)
    run(cdb, expecting: answer, or: answer == UnitModel.good ? "conditionMet" : nil)
  }

  private mutating func synchronize() {
    let (lba, count) = place()
    let cdb = random.coin() ? CDBs.ten(0x35, lba, count) : CDBs.sixteen(0x91, lba, count)
    run(cdb, expecting: model.touch(node, lba, count, .write))
  }

  // MARK: Reservations

  private mutating func reserveOut() {
    // Few keys, so that they meet; the own one more often than not.
    let keys: [UInt64] = [0, 1, 2, 3]
    let own = model.reservations.key(of: node)
    let key = random.pick(0...9) > 0 ? own ?? 0 : pick(keys)
    let other = pick(keys)
    // Registering most of all, or nothing else would ever happen; preempting all but never too.
    let action: UInt8 = pick([0, 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 6])
    let type: UInt8 = random.pick(0...29) == 0 ? pick([0, 2, 9, 0x11]) : pick([1, 3, 5, 6, 7, 8])
    let (cdb, list) = ReserveOut.encoded(action, type, key, other)
    run(
      cdb, out: list,
      expecting: model.reserveOut(node, action, scopeAndType: type, key: key, other: other))
    // Who is kept out for good proves nothing any more.
    if model.reservations.registrations.count > 2, random.pick(0...3) == 0 { clear() }
  }

  /// CLEAR by whoever is registered.
  private mutating func clear() {
    guard let (registrant, key) = model.reservations.registrations.first else { return }
    node = registrant
    let (cdb, list) = ReserveOut.encoded(3, 0, key, 0)
    run(
      cdb, out: list,
      expecting: model.reserveOut(node, 3, scopeAndType: 0, key: key, other: 0))
  }

  private mutating func reserveIn() {
    let action: UInt8 = random.pick(0...3)
    let cdb = [0x5E, action, 0, 0, 0, 0, 0] + bigEndian(4096, 2) + [0]
    let answer = model.refusal(node, .reserveIn) ?? UnitModel.good
    switch action {
    case 0: run(cdb, expecting: answer, data: model.reservations.readKeys)
    case 1: run(cdb, expecting: answer, data: model.reservations.readReservation)
    default: run(cdb, expecting: answer)
    }
  }

  private mutating func reserveOrRelease() {
    // Rarely, since nobody else does anything meanwhile.
    if model.reservations.reserver == nil, random.pick(0...3) == 0 {
      let cdb: [UInt8] =
        random.coin() ? [0x16, 0, 0, 0, 0, 0] : [0x56] + [UInt8](repeating: 0, count: 9)
      return run(cdb, expecting: model.reserve(node))
    }
    if let reserver = model.reservations.reserver { node = random.coin() ? reserver : node }
    let cdb: [UInt8] =
      random.coin() ? [0x17, 0, 0, 0, 0, 0] : [0x57] + [UInt8](repeating: 0, count: 9)
    run(cdb, expecting: model.release(node))
  }

  // MARK: Mode parameters

  /// Senses a page, compares what of it the model knows, and sends it back changed.
  private mutating func modes() {
    let isControl = random.coin()
    let page: UInt8 = isControl ? 0x0A : 0x08
    if let refusal = model.refusal(node, .read) {
      return run([0x1A, 8, page, 0, 255, 0], expecting: refusal)
    }
    let sensed = bench.run(node, [0x1A, 8, page, 0, 255, 0]).data
    guard sensed.count > 4 + 5, sensed[4] & 0x3F == page else {
      return differ([0x1A, 8, page], "no mode page")
    }
    var bytes = Array(sensed[4...])
    let known =
      isControl
      ? [bytes[2] & 4 != 0, bytes[4] & 8 != 0, bytes[5] & 0x40 != 0]
      : [bytes[2] & 4 != 0]
    let wanted =
      isControl
      ? [model.usesDescriptorSense, model.isWriteProtected, model.reportsTaskAborted]
      : [model.hasWriteCache]
    if known != wanted { differ([0x1A, 8, page], "\(known), where the model says \(wanted)") }
    change(&bytes, isControl: isControl)
  }

  private mutating func change(_ page: inout [UInt8], isControl: Bool) {
    // Write protection is rare, and soon taken away.
    let protects = isControl && !model.isWriteProtected && random.pick(0...3) == 0
    let descriptor = isControl ? random.coin() : model.usesDescriptorSense
    let aborted = isControl ? random.coin() : model.reportsTaskAborted
    let cache = isControl ? model.hasWriteCache : random.coin()
    if isControl {
      page[2] = page[2] & ~4 | (descriptor ? 4 : 0)
      page[4] = page[4] & ~8 | (protects ? 8 : 0)
      page[5] = page[5] & ~0x40 | (aborted ? 0x40 : 0)
    } else {
      page[2] = page[2] & ~4 | (cache ? 4 : 0)
    }
    let list = [0, 0, 0, 0] + page
    let cdb: [UInt8] = [0x15, 0x10, 0, 0, UInt8(list.count), 0]
    if let refusal = model.refusal(node, .write, .changesUnit) {
      return run(cdb, out: list, expecting: refusal)
    }
    model.select(
      node, writeCache: cache, descriptorSense: descriptor,
      writeProtect: isControl ? protects : model.isWriteProtected, taskAborted: aborted)
    run(cdb, out: list, expecting: UnitModel.good)
  }

  // MARK: The rest

  private mutating func small() {
    switch random.pick(0...7) {
    case 0...1:
      run([0, 0, 0, 0, 0, 0], expecting: model.refusal(node, .always) ?? UnitModel.good)
    case 2: requestSense()
    case 3: run([0x12, 0, 0, 0, 96, 0], expecting: UnitModel.good)
    case 4: capacity()
    case 5: startOrStop()
    case 6: preventOrAllow()
    default:
      // An operation code that no standard gives to a disk.
      run([0x8F ^ 0xE0, 0, 0, 0, 0, 0], expecting: model.takeAttention(node) ?? "05/20/00")
    }
  }

  /// Only who may not stops it: the model knows no unit that is stopped.
  private mutating func startOrStop() {
    guard model.isReadOnly(node), random.coin() else {
      return run(
        [0x1B, 0, 0, 0, 1, 0], expecting: model.refusal(node, .always) ?? UnitModel.good)
    }
    run(
      [0x1B, 0, 0, 0, 0, 0],
      expecting: model.refusal(node, .write, .changesUnit) ?? UnitModel.good)
  }

  /// Allowing removal is what nobody has to be kept from; without a removable medium nothing comes
  /// of preventing it.
  private mutating func preventOrAllow() {
    guard random.coin() else {
      return run([0x1E, 0, 0, 0, 0, 0], expecting: model.takeAttention(node) ?? UnitModel.good)
    }
    run(
      [0x1E, 0, 0, 0, 1, 0],
      expecting: model.refusal(node, .write, .changesUnit) ?? UnitModel.good)
  }

  mutating func requestSense() {
    let attention = model.takeAttention(node) ?? "00/00/00"
    let data = bench.run(node, [0x03, 0, 0, 0, 252, 0]).data
    guard data.count >= 14 else { return differ([0x03], "\(data.count) bytes of sense data") }
    let found = [data[2] & 0x0F, data[12], data[13]]
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: "/")
    if found != attention { differ([0x03], "\(found), where the model says \(attention)") }
  }

  private mutating func capacity() {
    let answer = model.refusal(node, .always) ?? UnitModel.good
    let last = UInt64(model.disk.blocks) - 1
    let blockBytes = UInt64(model.disk.blockBytes)
    run(
      [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], expecting: answer,
      data: bigEndian(last, 4) + bigEndian(blockBytes, 4))
  }

  private mutating func reset() {
    bench.reset(node)
    model.reset()
  }
}
