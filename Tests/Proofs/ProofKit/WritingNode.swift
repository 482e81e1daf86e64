import Bytes
import ISCSIModel
import Reactor
import TargetSimulation

/// A session that changes blocks of its own with a given number of commands outstanding, of all the
/// kinds that change blocks: whole in one PDU, with data that has to be asked for, in several
/// steps.
final class WritingNode {
  let initiator: ScriptedInitiator
  private let lun: UInt64
  private let blocks: Range<UInt64>
  private let canAllocate: Bool
  private var random: SeededGenerator
  private var data: [InitiatorTaskTag: [UInt8]] = [:]

  /// Commands that ended, and those of them with GOOD.
  private(set) var completed = 0
  private(set) var good = 0
  /// A command ended with RESERVATION CONFLICT.
  private(set) var isRefused = false
  private var refusals = 0

  init(
    _ initiator: ScriptedInitiator, lun: UInt64, blocks: Range<UInt64>, canAllocate: Bool,
    seed: UInt64
  ) {
    self.initiator = initiator
    self.lun = lun
    self.blocks = blocks
    self.canAllocate = canAllocate
    random = SeededGenerator(seed: seed)
  }

  var outstanding: Int { data.count }
  var hasMail: Bool { !initiator.inbox.isEmpty }

  /// Takes what came, answers it, and sends new commands.
  func work(to depth: Int) {
    let inbox = initiator.inbox
    initiator.forgetInbox()
    for pdu in inbox { take(pdu) }
    // Who is refused does not try for ever.
    if refusals < depth { fill(to: depth) }
  }

  private func take(_ pdu: ScriptedInitiator.Received) {
    let tag = pdu.header.initiatorTaskTag
    switch pdu.header.opcode {
    case .readyToTransfer:
      let request = ReadyToTransfer(pdu.header)
      let start = Int(request.bufferOffset)
      let end = start + Int(request.desiredDataTransferLength)
      guard let data = data[tag], end <= data.count else { return }
      initiator.sendDataOut(
        tag, transferTag: request.targetTransferTag, offset: request.bufferOffset, lun: lun,
        Array(data[start..<end]))
    case .scsiResponse:
      guard data.removeValue(forKey: tag) != nil else { return }
      ended(SCSIResponse(pdu.header).status)
    default: return
    }
  }

  private func ended(_ status: UInt8) {
    completed += 1
    if status == 0 { good += 1 }
    guard status == 0x18 else { return }
    isRefused = true
    refusals += 1
  }

  func fill(to depth: Int) {
    guard !initiator.isClosed else { return }
    while data.count < depth { send() }
  }

  /// Waits no longer for the answers outstanding: commands that were aborted have none.
  func abandonOutstanding() { data.removeAll() }

  // MARK: Commands

  private func send() {
    let count = UInt32([1, 1, 2, 8, 24][random.pick(0...4)])
    let first = random.pick(blocks.lowerBound...blocks.upperBound - UInt64(count))
    let bytes = [UInt8](repeating: random.pick(1...255), count: Int(count) * 512)
    switch random.pick(0...9) {
    case 0: send(ScriptedInitiator.cdb16(0x93, first, count), Array(bytes.prefix(512)))
    case 1: send(ScriptedInitiator.cdb16(0x8E, first, count), bytes)
    case 2 where canAllocate: sendUnmap(first, count)
    case 3: sendWriteSameWithoutData(first, count)
    default: send(ScriptedInitiator.cdb16(0x8A, first, count), bytes)
    }
  }

  private func send(_ cdb: [UInt8], _ bytes: [UInt8]) {
    let immediate = random.coin() ? bytes.count : random.pick(0...bytes.count / 4) * 4 / 512 * 512
    let tag = initiator.sendCommand(
      cdb, lun: lun, expected: UInt32(bytes.count), isWrite: true,
      immediateData: Array(bytes.prefix(immediate)))
    data[tag] = bytes
  }

  private func sendUnmap(_ first: UInt64, _ count: UInt32) {
    var list = ByteWriter()
    list.uint16(22)
    list.uint16(16)
    list.uint32(0)
    list.uint64(first)
    list.uint32(count)
    list.uint32(0)
    send([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], list.bytes)
  }

  /// NDOB: zeros, by whatever way the store has.
  private func sendWriteSameWithoutData(_ first: UInt64, _ count: UInt32) {
    var cdb = ScriptedInitiator.cdb16(0x93, first, count)
    cdb[1] = 1
    let tag = initiator.sendCommand(cdb, lun: lun)
    data[tag] = []
  }
}
