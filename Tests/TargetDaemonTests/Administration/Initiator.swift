import Bytes
import Glibc
import ISCSIModel
import Reactor
import Testing

/// An initiator on a blocking socket, one command at a time.
final class Initiator {
  struct Outcome: Equatable {
    var status: UInt8
    /// Sense key, additional sense code and qualifier: 0x63F0E.
    var sense: UInt32?
    var data: [UInt8] = []
  }

  /// Why there is no answer: the error number, 0 if the target has closed the connection.
  struct Silence: Error, CustomStringConvertible {
    let step: StaticString
    let number: Int32

    var description: String {
      let reason = number == 0 ? "the target has closed it" : String(cString: strerror(number))
      return "cannot \(step): \(reason)"
    }
  }

  private let socket: Int32
  private let name: String
  private var cmdSN: UInt32 = 1
  private var expStatSN: UInt32 = 0
  /// What the target said without having been asked (RFC 7143 §11.9.1).
  private(set) var asynchronousEvents: [UInt8] = []

  init(port: UInt16, name: String = "iqn.2026-11.com.example:node1") throws {
    self.name = name
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Silence(step: "connect", number: errno) }
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  /// The status class and detail: 0 is success.
  @discardableResult
  func logIn(to target: String) throws -> UInt16 {
    let keys = [
      "InitiatorName=\(name)", "InitiatorAlias=node", "TargetName=\(target)", "SessionType=Normal",
    ]
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.isImmediate = true
    header.bytes[1] = 0x87
    header.bytes.setBigEndian(UInt32(0x4000_0001), at: 8)
    header.bytes.setBigEndian(cmdSN, at: 24)
    try send(header, keys.flatMap { Array($0.utf8) + [0] })
    return try receive().header.bytes.bigEndianUInt16(at: 36)
  }

  /// Logged in, and past the unit attention that every nexus begins with on that LUN.
  static func session(
    port: UInt16, _ target: String, name: String = "iqn.2026-11.com.example:node1", lun: UInt8 = 1
  ) throws -> Initiator {
    let initiator = try Initiator(port: port, name: name)
    try #require(try initiator.logIn(to: target) == 0)
    _ = try initiator.testUnitReady(lun)
    return initiator
  }

  // MARK: Commands

  func testUnitReady(_ lun: UInt8) throws -> Outcome { try execute([0], lun: lun) }

  /// The first unit attention, and what comes after it.
  func luns() throws -> [UInt8] {
    var outcome = try execute([0xA0, 0, 0, 0, 0, 0, 0, 0, 4, 0], lun: 0, reading: 1024)
    if outcome.status != 0 {
      outcome = try execute([0xA0, 0, 0, 0, 0, 0, 0, 0, 4, 0], lun: 0, reading: 1024)
    }
    return stride(from: 8, to: outcome.data.count, by: 8).map { outcome.data[$0 + 1] }
  }

  /// In bytes; nil: the LUN does not answer with GOOD.
  func capacity(_ lun: UInt8) throws -> UInt64? {
    let command: [UInt8] = [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]
    var outcome = try execute(command, lun: lun, reading: 32)
    if outcome.status == 2 { outcome = try execute(command, lun: lun, reading: 32) }
    guard outcome.status == 0, outcome.data.count >= 12 else { return nil }
    let last = outcome.data[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return (last + 1) * outcome.data[8..<12].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// PERSISTENT RESERVE OUT, REGISTER (SPC-4 §6.16).
  func register(_ key: UInt8, lun: UInt8) throws -> Outcome {
    try execute(
      [0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], lun: lun,
      writing: [UInt8](repeating: 0, count: 15) + [key] + [UInt8](repeating: 0, count: 8))
  }

  /// RESERVE: Write Exclusive – Registrants Only.
  func reserve(_ key: UInt8, lun: UInt8) throws -> Outcome {
    try execute(
      [0x5F, 1, 5, 0, 0, 0, 0, 0, 24, 0], lun: lun,
      writing: [UInt8](repeating: 0, count: 7) + [key] + [UInt8](repeating: 0, count: 16))
  }

  func execute(
    _ command: [UInt8], lun: UInt8, reading: Int = 0, writing: [UInt8] = []
  ) throws -> Outcome {
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.bytes[1] = 0x80 | (reading > 0 ? 0x40 : 0) | (writing.isEmpty ? 0 : 0x20)
    header.bytes[9] = lun
    header.bytes.setBigEndian(cmdSN, at: 16)
    header.bytes.setBigEndian(UInt32(max(reading, writing.count)), at: 20)
    header.bytes.setBigEndian(cmdSN, at: 24)
    header.bytes.setBigEndian(expStatSN, at: 28)
    for (index, byte) in command.enumerated() { header.bytes[32 + index] = byte }
    cmdSN &+= 1
    try send(header, writing)
    var data: [UInt8] = []
    while true {
      let (answer, segment) = try receive()
      switch answer.opcode {
      case .dataIn:
        data += segment
        if answer.bytes[1] & 1 == 1 { return Outcome(status: answer.bytes[3], data: data) }
      case .scsiResponse:
        return Outcome(status: answer.bytes[3], sense: Self.sense(segment), data: data)
      default: continue
      }
    }
  }

  private static func sense(_ segment: [UInt8]) -> UInt32? {
    guard segment.count >= 16 else { return nil }
    let sense = segment.dropFirst(2)
    let key = UInt32(sense[4] & 0x0F)
    return key << 16 | UInt32(sense[14]) << 8 | UInt32(sense[15])
  }

  /// Whether the target closes the connection; takes what it says until then.
  func isClosed() -> Bool {
    while true {
      do { _ = try receive() } catch { return (error as? Silence)?.number != EAGAIN }
    }
  }

  /// Takes what has come without having been asked for.
  func listen(milliseconds: Int = 300) {
    var limit = timeval(tv_sec: 0, tv_usec: milliseconds * 1000)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    while (try? receive()) != nil {}
    limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  // MARK: PDUs

  private func send(_ header: BasicHeaderSegment, _ data: [UInt8]) throws {
    var header = header
    header.dataSegmentLength = data.count
    var bytes = (0..<BasicHeaderSegment.byteCount).map { header.bytes[$0] } + data
    bytes += [UInt8](repeating: 0, count: PDUFraming.padding(of: data.count))
    guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Silence(step: "send", number: errno)
    }
  }

  /// A ping of the target (RFC 7143 §11.19): who does not answer is taken for dead.
  private func answer(_ ping: BasicHeaderSegment) throws {
    guard ping.bytes.bigEndianUInt32(at: 20) != UInt32.max else { return }
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = true
    header.bytes[1] = 0x80
    for index in 8..<16 { header.bytes[index] = ping.bytes[index] }
    header.bytes.setBigEndian(UInt32.max, at: 16)
    header.bytes.setBigEndian(ping.bytes.bigEndianUInt32(at: 20), at: 20)
    header.bytes.setBigEndian(cmdSN, at: 24)
    header.bytes.setBigEndian(expStatSN, at: 28)
    try send(header, [])
  }

  private func receive() throws -> (header: BasicHeaderSegment, data: [UInt8]) {
    let bytes = try receive(BasicHeaderSegment.byteCount)
    let header = BasicHeaderSegment(bytes: InlineArray { bytes[$0] })
    let length = header.dataSegmentLength
    let data = try receive(length + PDUFraming.padding(of: length))
    if header.opcode == .asynchronousMessage { asynchronousEvents.append(header.bytes[36]) }
    if header.opcode == .nopIn { try answer(header) }
    if header.opcode != .nopIn { expStatSN = header.bytes.bigEndianUInt32(at: 24) &+ 1 }
    return (header, Array(data.prefix(length)))
  }

  private func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      errno = 0
      let received = bytes.withUnsafeMutableBytes {
        recv(socket, $0.baseAddress! + done, count - done, 0)
      }
      // A thread that has made a ring is interrupted by what the ring completes.
      if received < 0, errno == EINTR { continue }
      guard received > 0 else { throw Silence(step: "receive", number: errno) }
      done += received
    }
    return bytes
  }
}
