import Bytes
import Glibc
import ISCSIModel

/// An initiator on a blocking socket that keeps a number of commands in flight and checks that each
/// ends GOOD.
final class LoopbackInitiator {
  enum Command: CaseIterable {
    case read
    /// The data comes with the command.
    case write
    /// The data comes after an R2T.
    case solicitedWrite
  }

  static let blockBytes = 512
  static let transferBytes = 4096

  private let socket: Int32
  private var cmdSN: UInt32 = 1
  private var expStatSN: UInt32 = 0
  private var nextBlock: UInt32 = 0
  private let data = [UInt8](repeating: 0x5A, count: transferBytes)

  init(port: UInt16) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try require(socket >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try require(status == 0)
    // A hang is a failure, too.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  /// Logs in, and takes the unit attention that a new nexus begins with.
  func logIn(to target: String) throws {
    let keys = [
      "InitiatorName=iqn.2026-11.com.example:initiator", "TargetName=\(target)",
      "MaxRecvDataSegmentLength=262144", "InitialR2T=Yes", "ImmediateData=Yes",
    ]
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.isImmediate = true
    // Transit, from the operational stage to full feature phase (RFC 7143 §11.12).
    header.bytes[1] = 0x87
    header.bytes.setBigEndian(UInt32(0x4000_0001), at: 8)
    header.bytes.setBigEndian(cmdSN, at: 24)
    try send(header, keys.flatMap { Array($0.utf8) + [0] })
    let answer = try receive()
    try require(answer.opcode == .loginResponse)
    try require(answer.bytes.bigEndianUInt16(at: 36) == 0)
    // TEST UNIT READY is six zeros.
    try sendCommand(0x80, opcode: 0, transferBytes: 0, data: [])
    try require(receive().opcode == .scsiResponse)
  }

  /// Runs `count` commands with `depth` of them in flight.
  func run(_ command: Command, count: Int, depth: Int) throws {
    var sent = 0
    var ended = 0
    while ended < count {
      while sent < count, sent - ended < depth {
        try start(command)
        sent += 1
      }
      let answer = try receive()
      switch answer.opcode {
      case .dataIn, .scsiResponse:
        try require(answer.opcode == .dataIn ? command == .read : command != .read)
        // S and F on the one Data-In; GOOD on either.
        try require(command != .read || answer.bytes[1] == 0x81)
        try require(answer.bytes[3] == 0)
        ended += 1
      case .readyToTransfer:
        try require(command == .solicitedWrite)
        try answerReadyToTransfer(answer)
      default:
        throw UnexpectedPDU(opcode: answer.opcode)
      }
    }
  }

  private struct UnexpectedPDU: Error {
    let opcode: Opcode
  }

  private func start(_ command: Command) throws {
    switch command {
    case .read: try sendCommand(0xC0, opcode: 0x28, data: [])
    case .write: try sendCommand(0xA0, opcode: 0x2A, data: data)
    case .solicitedWrite: try sendCommand(0xA0, opcode: 0x2A, data: [])
    }
  }

  private func sendCommand(
    _ flags: UInt8, opcode: UInt8, transferBytes: Int = transferBytes, data: [UInt8]
  ) throws {
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.bytes[1] = flags
    header.bytes.setBigEndian(cmdSN, at: 16)
    header.bytes.setBigEndian(UInt32(transferBytes), at: 20)
    header.bytes.setBigEndian(cmdSN, at: 24)
    header.bytes.setBigEndian(expStatSN, at: 28)
    cmdSN &+= 1
    if transferBytes > 0 {
      let blocks = UInt32(transferBytes / LoopbackInitiator.blockBytes)
      header.bytes[32] = opcode
      header.bytes.setBigEndian(nextBlock, at: 34)
      header.bytes[40] = UInt8(blocks)
      let end = UInt32(LoopbackServer.diskBytes / LoopbackInitiator.blockBytes)
      nextBlock = (nextBlock + blocks) % end
    }
    try send(header, data)
  }

  private func answerReadyToTransfer(_ request: BasicHeaderSegment) throws {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.lun = request.lun
    header.initiatorTaskTag = request.initiatorTaskTag
    header.bytes.setBigEndian(request.bytes.bigEndianUInt32(at: 20), at: 20)
    header.bytes.setBigEndian(expStatSN, at: 28)
    try send(header, data)
  }

  // MARK: PDUs

  private func send(_ header: BasicHeaderSegment, _ data: [UInt8]) throws {
    var header = header
    header.dataSegmentLength = data.count
    var bytes = (0..<BasicHeaderSegment.byteCount).map { header.bytes[$0] } + data
    bytes += [UInt8](repeating: 0, count: PDUFraming.padding(of: data.count))
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL))
      }
      try require(count > 0)
      done += count
    }
  }

  /// The header of the next PDU, its data segment taken.
  private func receive() throws -> BasicHeaderSegment {
    let bytes = try receive(BasicHeaderSegment.byteCount)
    let header = BasicHeaderSegment(bytes: InlineArray { bytes[$0] })
    let length = header.dataSegmentLength
    _ = try receive(length + PDUFraming.padding(of: length))
    expStatSN = header.bytes.bigEndianUInt32(at: 24) &+ 1
    return header
  }

  private func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let received = bytes.withUnsafeMutableBytes {
        recv(socket, $0.baseAddress! + done, count - done, 0)
      }
      try require(received > 0)
      done += received
    }
    return bytes
  }
}
