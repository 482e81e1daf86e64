internal import Bytes
internal import ISCSIModel
internal import Reactor

/// Where the data segment of the PDU now arriving goes. What lies past `wanted` is dropped.
struct DataDestination {
  var buffer: Buffer?
  var offset = 0
  var wanted = 0

  static var nowhere: DataDestination { DataDestination() }
}

/// Cuts a byte stream into PDUs: headers come out whole and checked, data segments go straight to
/// where they belong, digests are verified on the way.
///
/// One receive fills the rest of the current data segment and, behind it, the input buffer with
/// whatever follows, so that a large write is not copied and small ones share a system call.
struct PDUReceiver {
  enum Event {
    /// Receive more: `prepareReceive`, then `received`.
    case needsMore
    /// A header; answer with `accept` before asking again.
    case header(BasicHeaderSegment)
    /// The PDU of the last header is complete, digests and all.
    case complete
    case failed(Failure)
    /// The data of the PDU with this header is not what was sent.
    case damaged(BasicHeaderSegment)
  }

  /// Errors at error recovery level 0 end the connection (RFC 7143 §7.1.3): nothing behind them can
  /// be trusted.
  enum Failure: Equatable {
    case headerDigest
    /// The data segment is longer than we declared to take.
    case dataSegmentTooLong(Int)
  }

  private enum Stage {
    case header
    case awaitingDestination
    case data
  }

  var framing = PDUFraming()
  /// Our MaxRecvDataSegmentLength.
  var dataSegmentLengthMax: Int
  /// The additional header segments of the current PDU.
  private(set) var additionalHeader: [UInt8] = []

  private let list = ScatterGatherList(capacity: 2)
  private var storage: Buffer?
  private var start = 0
  private var end = 0
  private var stage = Stage.header
  private var destination = DataDestination.nowhere
  /// Bytes of the data segment that go nowhere.
  private var unwanted = 0
  private var segmentLength = 0
  private var trailerLength = 0
  private var paddingLength = 0
  private var digest: CRC32C?
  /// The header of the PDU whose data is digested.
  private var digestedHeader: BasicHeaderSegment?
  private var directCount = 0

  init(dataSegmentLengthMax: Int) { self.dataSegmentLengthMax = dataSegmentLengthMax }

  /// Bytes received and not consumed yet.
  var unread: [UInt8] { input.bytes(start..<end) }

  /// Goes on with another input buffer, at least as large as what is unread, or with none; returns
  /// the old one.
  mutating func exchangeInput(_ buffer: Buffer?) -> Buffer? {
    if let buffer, end > start {
      buffer.copy(from: input, at: start, to: 0, count: end - start)
    }
    end -= start
    start = 0
    defer { storage = buffer }
    return storage
  }

  /// Takes over bytes that another connection object had received.
  mutating func restore(_ bytes: [UInt8]) {
    precondition(start == end, "a receiver that takes over has received nothing")
    precondition(bytes.count <= input.capacity, "logins have input buffers of one size")
    input.store(bytes, at: 0)
    start = 0
    end = bytes.count
  }

  private var input: Buffer {
    guard let storage else { preconditionFailure("a receiver needs an input buffer first") }
    return storage
  }

  /// What of the data segment of the current PDU is still to come, and what has come.
  var missingCount: Int { destination.wanted + unwanted }
  var arrivedCount: Int { segmentLength - missingCount }

  // MARK: Receiving

  /// The memory the next receive fills. Ask only after `needsMore`, with none under way.
  mutating func prepareReceive() -> ScatterGatherList {
    if start > 0 {
      input.copy(from: input, at: start, to: 0, count: end - start)
      end -= start
      start = 0
    }
    list.removeAll()
    directCount = stage == .data ? destination.wanted : 0
    if directCount > 0, let buffer = destination.buffer {
      list.append(buffer.slice(destination.offset..<destination.offset + directCount))
    }
    list.append(input.slice(end..<input.capacity))
    return list
  }

  mutating func received(_ count: Int) {
    let direct = min(count, directCount)
    if direct > 0 { tookWanted(direct) }
    end += count - direct
  }

  /// `count` more bytes are in their place.
  private mutating func tookWanted(_ count: Int) {
    if digest != nil, let buffer = destination.buffer {
      let range = destination.offset..<destination.offset + count
      unsafe buffer.withUnsafeBytes(range) { unsafe digest?.update($0) }
    }
    destination.offset += count
    destination.wanted -= count
  }

  // MARK: Parsing

  mutating func next() -> Event {
    switch stage {
    case .header: parseHeader()
    case .awaitingDestination: preconditionFailure("a header was not answered")
    case .data: parseData()
    }
  }

  private mutating func parseHeader() -> Event {
    guard end - start >= BasicHeaderSegment.byteCount else { return .needsMore }
    let header = BasicHeaderSegment(bytes: input.load(InlineArray<48, UInt8>.self, at: start))
    let length = framing.headerLength(of: header)
    guard end - start >= length else { return .needsMore }
    if framing.headerDigest, !headerDigestMatches(length) { return .failed(.headerDigest) }
    guard header.dataSegmentLength <= dataSegmentLengthMax else {
      return .failed(.dataSegmentTooLong(header.dataSegmentLength))
    }
    let additional = start + BasicHeaderSegment.byteCount
    additionalHeader =
      header.totalAHSLengthBytes == 0
      ? [] : input.bytes(additional..<additional + header.totalAHSLengthBytes)
    start += length
    stage = .awaitingDestination
    return .header(header)
  }

  private func headerDigestMatches(_ length: Int) -> Bool {
    var crc = CRC32C()
    let covered = start..<start + length - PDUFraming.digestByteCount
    unsafe input.withUnsafeBytes(covered) { unsafe crc.update($0) }
    return digestMatches(crc, at: covered.upperBound)
  }

  private func digestMatches(_ crc: CRC32C, at offset: Int) -> Bool {
    let received = input.load(InlineArray<4, UInt8>.self, at: offset)
    return received.bigEndianUInt32(at: 0) == crc.wireBytes.bigEndianUInt32(at: 0)
  }

  /// Says where the data segment of the header just returned goes.
  mutating func accept(_ header: BasicHeaderSegment, _ destination: DataDestination) {
    precondition(stage == .awaitingDestination, "a header is answered once")
    precondition(destination.wanted <= header.dataSegmentLength, "no more is wanted than comes")
    let length = header.dataSegmentLength
    self.destination = destination
    unwanted = length - destination.wanted
    segmentLength = length
    trailerLength = framing.dataTrailerLength(of: length)
    paddingLength = PDUFraming.padding(of: length)
    digest = nil
    if framing.dataDigest, length > 0 {
      digest = CRC32C()
      digestedHeader = header
    }
    stage = .data
  }

  private mutating func parseData() -> Event {
    copyWanted()
    guard destination.wanted == 0 else { return .needsMore }
    dropUnwanted()
    guard unwanted == 0, end - start >= trailerLength else { return .needsMore }
    defer {
      start += trailerLength
      destination = .nowhere
      stage = .header
    }
    guard var crc = digest, let header = digestedHeader else { return .complete }
    unsafe input.withUnsafeBytes(start..<start + paddingLength) { unsafe crc.update($0) }
    return digestMatches(crc, at: start + paddingLength) ? .complete : .damaged(header)
  }

  private mutating func copyWanted() {
    let count = min(destination.wanted, end - start)
    guard count > 0, let buffer = destination.buffer else { return }
    buffer.copy(from: input, at: start, to: destination.offset, count: count)
    start += count
    tookWanted(count)
  }

  private mutating func dropUnwanted() {
    let count = min(unwanted, end - start)
    if digest != nil {
      unsafe input.withUnsafeBytes(start..<start + count) { unsafe digest?.update($0) }
    }
    start += count
    unwanted -= count
  }
}
