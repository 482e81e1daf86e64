public import Bytes

/// Collects the data of one write task: immediate, unsolicited and solicited, in this order and
/// without a hole (RFC 7143 §4.2.5.2, §11.7, §11.8).
///
/// It keeps offsets only; the owner places the bytes. Two lengths matter: what the initiator
/// announced (EDTL) bounds what it may send, and what the command needs bounds what is asked for.
/// Unsolicited bytes past the need are legal: they are received and thrown away.
///
/// A violation changes nothing; the owner ends the connection, or fails the task and has the rest
/// of its data thrown away (`discardRest`) before it answers.
public struct DataOutTransfer: Sendable {
  /// The R2Ts of one task that can be open at once; no policy offers more.
  public static let outstandingR2TMax = 8

  public enum Verdict: Hashable, Sendable {
    /// The first `wanted` bytes of the PDU, at its buffer offset, belong to the command.
    case accepted(wanted: Int)
    /// As above, and the PDU ended its sequence: `nextR2T` may have room again.
    case sequenceComplete(wanted: Int)
    /// As above, and every byte the command needs is there: execute it.
    case allDataReceived(wanted: Int)
    case violation(Violation)
  }

  public enum Violation: Error, Hashable, Sendable {
    case immediateDataNotAllowed
    case unexpectedUnsolicitedData
    /// More unsolicited data than FirstBurstLength, or than EDTL.
    case tooMuchUnsolicitedData
    /// Past what the R2T asked for.
    case tooMuchSolicitedData
    case segmentTooLong
    case unknownTargetTransferTag
    /// An open R2T, but not the oldest one.
    case sequenceOutOfOrder
    case wrongLUN
    case wrongDataSN(expected: SerialNumber)
    case wrongBufferOffset(expected: Int)
    /// F before the answer to an R2T was whole.
    case finalTooEarly
    /// No F on the PDU that fills its sequence.
    case finalMissing

    /// How RFC 7143 §11.4.7.2 has the target report the violation.
    public var condition: Condition {
      switch self {
      case .immediateDataNotAllowed, .unexpectedUnsolicitedData: .unexpectedUnsolicitedData
      case .tooMuchUnsolicitedData, .tooMuchSolicitedData, .finalTooEarly, .finalMissing:
        .incorrectAmountOfData
      case .wrongDataSN: .lostData
      case .segmentTooLong, .sequenceOutOfOrder: .protocolError
      case .unknownTargetTransferTag, .wrongLUN, .wrongBufferOffset: .invalidField
      }
    }
  }

  /// RFC 7143 §11.4.7.2 gives the first three sense data of their own; the last two are Rejects
  /// (§11.17.1).
  public enum Condition: Hashable, Sendable {
    /// ABORTED COMMAND, 0C/0C.
    case unexpectedUnsolicitedData
    /// ABORTED COMMAND, 0C/0D.
    case incorrectAmountOfData
    /// A gap in DataSN: ABORTED COMMAND, 47/05 as for the digest error it usually means (§7.9).
    case lostData
    /// Reject with reason 0x04.
    case protocolError
    /// A field that names a transfer names none: Reject with reason 0x09.
    case invalidField

    /// The reason of the Reject; nil for what is reported as sense data.
    public var rejectReason: RejectReason? {
      switch self {
      case .unexpectedUnsolicitedData, .incorrectAmountOfData, .lostData: nil
      case .protocolError: .protocolError
      case .invalidField: .invalidPDUField
      }
    }
  }

  /// An R2T to send.
  public struct R2TPlan: Hashable, Sendable {
    public let targetTransferTag: TargetTransferTag
    public let r2tSN: SerialNumber
    public let bufferOffset: UInt32
    public let desiredLength: UInt32
  }

  private struct Outstanding: Sendable, BitwiseCopyable {
    var tag: TargetTransferTag
    /// Buffer offset just past the last byte asked for.
    var end: Int
  }

  /// The tags of the R2Ts that are not answered in full.
  public var outstandingTags: [TargetTransferTag] {
    (0..<outstandingCount).map { outstanding[(head + $0) % Self.outstandingR2TMax].tag }
  }

  /// What the initiator has been asked for and has not sent whole: R2Ts, and the unsolicited data
  /// that it announced.
  public var openSequenceCount: Int { outstandingCount + (awaitsUnsolicited ? 1 : 0) }

  /// Bytes still to come, asked for or not.
  public var remainingLength: Int {
    var end = awaitsUnsolicited ? max(wantedLength, unsolicitedEnd) : wantedLength
    if outstandingCount > 0 {
      end = max(end, outstanding[(head + outstandingCount - 1) % Self.outstandingR2TMax].end)
    }
    return max(0, end - receivedLength)
  }

  /// Bytes the command needs: at most EDTL.
  public private(set) var wantedLength: Int
  /// Bytes received without a hole, discarded ones included; also the next offset expected.
  public private(set) var receivedLength: Int
  public private(set) var outstandingCount = 0

  private let lun: UInt64
  /// Unsolicited data ends here at the latest: min(EDTL, FirstBurstLength).
  private let unsolicitedEnd: Int
  private let maxBurstLength: Int
  private let maxSegmentLength: Int
  private let outstandingMax: Int
  private var awaitsUnsolicited: Bool
  /// The task has failed: whatever comes is taken, and goes nowhere.
  private var isDiscarding = false
  /// All before this offset came unsolicited or was asked for.
  private var solicitedEnd = 0
  private var expectedDataSN = SerialNumber(0)
  private var nextR2TSN = SerialNumber(0)
  /// A ring: the oldest at `head`, which is the only one that may be answered.
  private var outstanding = InlineArray<8, Outstanding>(
    repeating: Outstanding(tag: .reserved, end: 0))
  private var head = 0

  /// Opens the transfer of `command`, whose immediate data is its data segment, for a command that
  /// needs `neededLength` bytes.
  public init(
    of command: SCSICommandRequest, neededLength: UInt64, parameters: DataTransferParameters
  ) throws(Violation) {
    let expected = Int(command.expectedDataTransferLength)
    let immediate = command.header.dataSegmentLength
    unsolicitedEnd = min(expected, parameters.firstBurstLength)
    wantedLength = Int(min(neededLength, UInt64(expected)))
    receivedLength = immediate
    lun = command.lun
    maxBurstLength = parameters.maxBurstLength
    maxSegmentLength = parameters.targetMaxRecvDataSegmentLength
    outstandingMax = min(parameters.maxOutstandingR2T, Self.outstandingR2TMax)
    awaitsUnsolicited = !command.isFinal

    guard immediate == 0 || parameters.immediateData else { throw .immediateDataNotAllowed }
    guard immediate <= maxSegmentLength else { throw .segmentTooLong }
    guard immediate <= unsolicitedEnd else { throw .tooMuchUnsolicitedData }
    guard command.isFinal || !parameters.initialR2T else { throw .unexpectedUnsolicitedData }
    solicitedEnd = immediate
  }

  /// The transfer of a command whose PDU alone was a violation: only its unsolicited data is due.
  public init(discarding command: SCSICommandRequest) {
    lun = command.lun
    wantedLength = 0
    receivedLength = 0
    unsolicitedEnd = 0
    maxBurstLength = 0
    maxSegmentLength = 0
    outstandingMax = 0
    awaitsUnsolicited = !command.isFinal
    isDiscarding = true
  }

  /// Immediate bytes that belong to the command; the rest is thrown away. Ask before any Data-Out.
  public var wantedImmediateLength: Int { min(receivedLength, wantedLength) }

  /// Every byte the command needs is there and nothing more is due on the wire.
  public var isComplete: Bool {
    !awaitsUnsolicited && outstandingCount == 0 && receivedLength >= wantedLength
  }

  /// `nextR2T` has one to send.
  public var wantsR2T: Bool {
    !awaitsUnsolicited && solicitedEnd < wantedLength && outstandingCount < outstandingMax
  }

  /// The next R2T to send under `tag`, or nil if none is due. None is, until the unsolicited data
  /// has ended, since only its F tells where it ends.
  public mutating func nextR2T(tag: TargetTransferTag) -> R2TPlan? {
    precondition(tag != .reserved, "an R2T needs a tag of its own")
    guard wantsR2T else { return nil }
    let start = solicitedEnd
    let length = min(maxBurstLength, wantedLength - start)
    solicitedEnd = start + length
    outstanding[(head + outstandingCount) % Self.outstandingR2TMax] = Outstanding(
      tag: tag, end: solicitedEnd)
    outstandingCount += 1
    return R2TPlan(
      targetTransferTag: tag, r2tSN: nextR2TSN.next(), bufferOffset: UInt32(start),
      desiredLength: UInt32(length))
  }

  /// Asks for nothing more and takes, whatever its offset and number, what is due: the sequences
  /// under way, each up to its F. Then the transfer is complete (§11.4.7.2, §11.17.1).
  public mutating func discardRest() {
    isDiscarding = true
    wantedLength = 0
    solicitedEnd = 0
  }

  private mutating func discard(_ pdu: DataOut) -> Verdict {
    guard pdu.isFinal else { return .accepted(wanted: 0) }
    if pdu.isUnsolicited {
      awaitsUnsolicited = false
    } else if let place = place(of: pdu.targetTransferTag) {
      // The order of those that are left does not matter any more.
      outstanding[(head + place) % Self.outstandingR2TMax] = outstanding[head]
      head = (head + 1) % Self.outstandingR2TMax
      outstandingCount -= 1
    }
    return isComplete ? .allDataReceived(wanted: 0) : .sequenceComplete(wanted: 0)
  }

  /// Takes the header of a Data-Out whose Initiator Task Tag led here.
  public mutating func received(_ pdu: DataOut) -> Verdict {
    if isDiscarding { return discard(pdu) }
    do throws(Violation) {
      let isUnsolicited = pdu.isUnsolicited
      let end = try isUnsolicited ? checkUnsolicited() : checkSolicited(pdu)
      try checkPlace(pdu, sequenceEnd: end, isUnsolicited: isUnsolicited)
      return accept(pdu, isUnsolicited: isUnsolicited)
    } catch {
      return .violation(error)
    }
  }

  /// Where the unsolicited data ends at the latest.
  private func checkUnsolicited() throws(Violation) -> Int {
    guard awaitsUnsolicited else { throw .unexpectedUnsolicitedData }
    return unsolicitedEnd
  }

  /// Where the answer to the oldest R2T ends, if that is what `pdu` belongs to.
  private func checkSolicited(_ pdu: DataOut) throws(Violation) -> Int {
    guard let place = place(of: pdu.targetTransferTag) else { throw .unknownTargetTransferTag }
    guard place == 0 else { throw .sequenceOutOfOrder }
    // §11.7.4: with a Target Transfer Tag the LUN must be the command's.
    guard pdu.lun == lun else { throw .wrongLUN }
    return outstanding[head].end
  }

  private func place(of tag: TargetTransferTag) -> Int? {
    (0..<outstandingCount).first { outstanding[(head + $0) % Self.outstandingR2TMax].tag == tag }
  }

  private func checkPlace(
    _ pdu: DataOut, sequenceEnd: Int, isUnsolicited: Bool
  ) throws(Violation) {
    guard pdu.dataSN == expectedDataSN else { throw .wrongDataSN(expected: expectedDataSN) }
    guard Int(pdu.bufferOffset) == receivedLength else {
      throw .wrongBufferOffset(expected: receivedLength)
    }
    guard pdu.dataSegmentLength <= maxSegmentLength else { throw .segmentTooLong }
    let end = receivedLength + pdu.dataSegmentLength
    guard end <= sequenceEnd else {
      throw isUnsolicited ? .tooMuchUnsolicitedData : .tooMuchSolicitedData
    }
    if end == sequenceEnd {
      guard pdu.isFinal else { throw .finalMissing }
    } else {
      // §11.4.7.2 would have less unsolicited data than FirstBurstLength fail the command, too. It
      // is known where it ends, and the rest can be asked for: nothing is wrong but a count.
      guard !pdu.isFinal || isUnsolicited else { throw .finalTooEarly }
    }
  }

  private mutating func accept(_ pdu: DataOut, isUnsolicited: Bool) -> Verdict {
    let wanted = max(0, min(pdu.dataSegmentLength, wantedLength - receivedLength))
    receivedLength += pdu.dataSegmentLength
    guard pdu.isFinal else {
      expectedDataSN = expectedDataSN + 1
      return .accepted(wanted: wanted)
    }
    expectedDataSN = SerialNumber(0)
    if isUnsolicited {
      awaitsUnsolicited = false
      solicitedEnd = receivedLength
    } else {
      head = (head + 1) % Self.outstandingR2TMax
      outstandingCount -= 1
    }
    precondition(receivedLength <= solicitedEnd, "only what was due can have been received")
    return isComplete ? .allDataReceived(wanted: wanted) : .sequenceComplete(wanted: wanted)
  }
}
