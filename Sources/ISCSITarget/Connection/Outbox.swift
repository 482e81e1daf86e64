internal import Bytes
internal import DequeModule
internal import ISCSIModel
internal import Reactor

/// A PDU to send, but for the numbers, which it gets when it leaves.
struct OutgoingPDU {
  enum Numbering {
    /// Carries a status: takes the next StatSN.
    case status
    /// Carries StatSN without taking it: R2T, a NOP-In that asks (RFC 7143 §11.8.3, §11.19.2).
    case noStatus
    /// Made by the login machine, which numbers its own.
    case complete
  }

  var header: BasicHeaderSegment
  var numbering: Numbering
  /// The data segment, given back to the pool when it has left.
  var payload: Buffer?
  var payloadCount = 0
  /// Without `payload`: the data segment, short enough to leave among the headers. So a refusal for
  /// want of memory needs none.
  var shortPayload: [UInt8] = []
}

/// Something a connection has to say.
enum OutgoingItem {
  case pdu(OutgoingPDU)
  /// The R2Ts that the task's transfer has room for.
  case readyToTransfer(CommandTask)
  /// Data-In, then the status.
  case answer(CommandTask)
}

/// What one send carries: headers made in one buffer, data segments where they are. Everything it
/// points to stays until the send is done.
final class SendBatch {
  let list = ScatterGatherList(capacity: 384)
  /// Tasks whose answers are complete with this batch.
  private var tasks: [CommandTask] = []
  private var payloads: [Buffer] = []
  private var arena: Buffer?
  private var used = 0

  /// Takes the memory for headers, for as long as the connection lives: whatever else uses the
  /// budget up, answers can leave.
  func provideArena(_ buffer: Buffer) { arena = buffer }

  /// Memory for headers.
  static let arenaBytes = 4096
  /// The most of a data segment that goes there, too: sense data and its length.
  static let shortPayloadMax = 2 + 252
  /// The most one PDU takes of the arena: header, digest, short payload, padding, digest.
  static let arenaBytesPerPDU = 48 + 4 + shortPayloadMax + 3 + 4
  /// The most ranges one PDU takes: header, data, trailer.
  static let rangesPerPDU = 3
  /// More than this in one send only makes the first byte wait.
  static let byteCountMax = 1 << 20

  /// Whether another PDU fits.
  var hasRoom: Bool {
    guard let arena else { return false }
    return used + SendBatch.arenaBytesPerPDU <= arena.capacity
      && list.room >= SendBatch.rangesPerPDU && list.byteCount < SendBatch.byteCountMax
  }

  /// Adds `header`, then `slice` as its data segment, with padding and digests.
  func append(_ header: BasicHeaderSegment, _ slice: BufferSlice?, _ framing: PDUFraming) {
    appendHeader(header, framing)
    guard let slice, slice.count > 0 else { return }
    list.append(slice)
    appendTrailer(of: slice, framing)
  }

  /// Adds `header` with at most `shortPayloadMax` bytes as its data segment, such as sense data.
  func append(_ header: BasicHeaderSegment, bytes: [UInt8], _ framing: PDUFraming) {
    guard let arena, !bytes.isEmpty else { return append(header, nil, framing) }
    appendHeader(header, framing)
    let slice = arena.slice(used..<used + bytes.count)
    arena.store(bytes, at: used)
    used += bytes.count
    list.append(slice)
    appendTrailer(of: slice, framing)
  }

  private func appendHeader(_ header: BasicHeaderSegment, _ framing: PDUFraming) {
    guard let arena else { preconditionFailure("ask for room first") }
    let begin = used
    arena.store(header.bytes, at: used)
    used += BasicHeaderSegment.byteCount
    if framing.headerDigest {
      var crc = CRC32C()
      crc.update(header.bytes)
      arena.store(crc.wireBytes, at: used)
      used += PDUFraming.digestByteCount
    }
    list.append(arena.slice(begin..<used))
  }

  private func appendTrailer(of slice: BufferSlice, _ framing: PDUFraming) {
    guard let arena else { return }
    let padding = PDUFraming.padding(of: slice.count)
    guard padding > 0 || framing.dataDigest else { return }
    let begin = used
    arena.fill(used..<used + padding, with: 0)
    used += padding
    if framing.dataDigest {
      var crc = CRC32C()
      unsafe slice.buffer.withUnsafeBytes(slice.offset..<slice.offset + slice.count) {
        unsafe crc.update($0)
      }
      unsafe arena.withUnsafeBytes(begin..<used) { unsafe crc.update($0) }
      arena.store(crc.wireBytes, at: used)
      used += PDUFraming.digestByteCount
    }
    list.append(arena.slice(begin..<used))
  }

  func completes(_ task: CommandTask) { tasks.append(task) }
  /// One of the tasks whose answers have left.
  func takeTask() -> CommandTask? { tasks.popLast() }
  func carries(_ payload: Buffer) { payloads.append(payload) }

  /// Memory of one of the PDUs that have left.
  func takePayload() -> Buffer? { payloads.popLast() }

  /// Empties the batch after its send; the caller has taken the tasks and payloads.
  func reset() {
    precondition(payloads.isEmpty, "a payload is given back")
    precondition(tasks.isEmpty, "a task is answered for")
    list.removeAll()
    used = 0
  }

  /// Gives the header memory back: the connection ends. Until then it keeps it, or an answer could
  /// wait for memory that others use up.
  func takeArena() -> Buffer? { arena.take() }
}
