/// The fields of a Text Request that its exchange needs (RFC 7143 §11.10).
public struct TextRequestFields: Hashable, Sendable {
  public var isFinal: Bool
  public var isContinued: Bool
  public var targetTransferTag: TargetTransferTag

  public init(isFinal: Bool, isContinued: Bool, targetTransferTag: TargetTransferTag) {
    self.isFinal = isFinal
    self.isContinued = isContinued
    self.targetTransferTag = targetTransferTag
  }
}

/// One Text Response (§11.11), except for the numbers every response carries.
public struct TextReply: Hashable, Sendable {
  public var isFinal: Bool
  public var isContinued: Bool
  /// The exchange's own tag while it goes on, reserved with F.
  public var targetTransferTag: TargetTransferTag
  /// At most the initiator's MaxRecvDataSegmentLength as it was when the request came.
  public var text: [UInt8]
}

/// Why a Text Request gets a Reject.
public enum TextFailure: Error, Hashable, Sendable {
  case text(TextError)
  /// F and C at once.
  case continuedFinal
  /// A Target Transfer Tag that is not this exchange's, or none is under way.
  case unknownTransferTag
  /// Text in a request that should only have asked for the rest of our answer.
  case textWhileAnswering
}

public enum TextAction: Hashable, Sendable {
  case respond(TextReply)
  case reject(TextFailure)
}

/// The text exchange of a connection in full feature phase (RFC 7143 §6.4): SendTargets and the few
/// keys that may still be declared. A connection has one at a time; a request with the reserved
/// transfer tag starts anew (§11.10.4). A long answer goes out in pieces, one for each empty
/// request.
public struct TextExchange: Sendable {
  private let sessionType: SessionType
  private let sessionTarget: String?
  private let transferTag: TargetTransferTag
  /// The limit of our segments. Changes when an exchange that declared a new one has ended
  /// (§13.12).
  public private(set) var initiatorMaxRecvDataSegmentLength: Int

  private var accumulator = TextAccumulator()
  private var unsent: ArraySlice<[UInt8]> = []
  private var declared: Int?
  private var isUnderWay = false

  /// `transferTag` names this connection's exchanges and is no other tag of the session;
  /// `sessionTarget` is the target of a normal session.
  public init(
    sessionType: SessionType, sessionTarget: String?, transferTag: TargetTransferTag,
    initiatorMaxRecvDataSegmentLength: Int
  ) {
    precondition(transferTag != .reserved, "an exchange needs a tag of its own")
    self.sessionType = sessionType
    self.sessionTarget = sessionTarget
    self.transferTag = transferTag
    self.initiatorMaxRecvDataSegmentLength = initiatorMaxRecvDataSegmentLength
  }

  /// `targets` lists what the initiator may open among what is asked; called once at most.
  public mutating func received(
    _ request: TextRequestFields, data: [UInt8],
    targets: (SendTargetsQuery) -> [SendTargetsEntry]
  ) -> TextAction {
    do throws(TextFailure) {
      return .respond(try reply(to: request, data, targets))
    } catch {
      reset()
      return .reject(error)
    }
  }

  /// What is wrong with a request with `byteCount` bytes of text, as far as its header shows.
  public func failure(of request: TextRequestFields, byteCount: Int) -> TextFailure? {
    if request.isContinued, request.isFinal { return .continuedFinal }
    // It starts anew.
    if request.targetTransferTag == .reserved { return nil }
    guard isUnderWay, request.targetTransferTag == transferTag else { return .unknownTransferTag }
    guard unsent.isEmpty || (byteCount == 0 && !request.isContinued) else {
      return .textWhileAnswering
    }
    return nil
  }

  private mutating func reply(
    to request: TextRequestFields, _ data: [UInt8],
    _ targets: (SendTargetsQuery) -> [SendTargetsEntry]
  ) throws(TextFailure) -> TextReply {
    if let failure = failure(of: request, byteCount: data.count) { throw failure }
    if request.targetTransferTag == .reserved { reset() }
    isUnderWay = true
    if !unsent.isEmpty { return sendNext(request) }
    guard let text = try accumulate(data, request) else {
      return TextReply(
        isFinal: false, isContinued: false, targetTransferTag: transferTag, text: [])
    }
    unsent = try answer(to: text, targets)
      .chunks(maxSegmentLength: initiatorMaxRecvDataSegmentLength)[...]
    return sendNext(request)
  }

  private mutating func accumulate(
    _ data: [UInt8], _ request: TextRequestFields
  ) throws(TextFailure) -> [UInt8]? {
    do throws(TextError) {
      return try accumulator.append(data, continues: request.isContinued)
    } catch { throw .text(error) }
  }

  /// §11.11.1: F only in answer to F, and only with the last piece.
  private mutating func sendNext(_ request: TextRequestFields) -> TextReply {
    let piece = unsent.popFirst() ?? []
    let isFinal = unsent.isEmpty && request.isFinal
    let reply = TextReply(
      isFinal: isFinal, isContinued: !unsent.isEmpty,
      targetTransferTag: isFinal ? .reserved : transferTag, text: piece)
    if isFinal {
      if let declared { initiatorMaxRecvDataSegmentLength = declared }
      reset()
    }
    return reply
  }

  /// Ends what is under way, as a request that is refused does.
  public mutating func reset() {
    accumulator.reset()
    unsent = []
    declared = nil
    isUnderWay = false
  }

  // MARK: - Keys

  private mutating func answer(
    to text: [UInt8], _ targets: (SendTargetsQuery) -> [SendTargetsEntry]
  ) throws(TextFailure) -> [UInt8] {
    let keys: TextKeys
    do throws(TextError) { keys = try TextKeys(parsing: text) } catch { throw .text(error) }
    var answer: [UInt8] = []
    for pair in keys.pairs where !KeyRule.isAnswer(pair.value) {
      if pair.key == "SendTargets", let query = query(pair.value) {
        answer += sendTargetsText(targets(query))
      } else if let value = renegotiate(pair) {
        answer += TextKeys([TextPair(pair.key, value)]).encoded
      }
    }
    return answer
  }

  /// Appendix C: All in discovery sessions only; empty in normal sessions, for their own target; a
  /// name in a normal session must be its own.
  private func query(_ value: String) -> SendTargetsQuery? {
    switch (sessionType, value) {
    case (.discovery, "All"): return .all
    case (.normal, "All"), (.discovery, ""): return nil
    case (.normal, ""): return sessionTarget.map { .target($0) }
    case (_, let value):
      guard let name = ISCSIName.normalized(value) else { return nil }
      return sessionType == .discovery || name == sessionTarget ? .target(name) : nil
    }
  }

  /// The answer to a key in full feature phase: only keys with Use ALL may be declared again (§13),
  /// and a declaration has no answer unless it is illegal.
  private mutating func renegotiate(_ pair: TextPair) -> String? {
    guard let rule = KeyRule.named(pair.key) else { return "NotUnderstood" }
    guard rule.phase == .any else { return "Reject" }
    switch rule.function {
    case .declaration(let range, _):
      guard let value = TextValue.number(pair.value), range.contains(value),
        let length = Int(exactly: value)
      else { return "Reject" }
      declared = length
      return nil
    case .initiatorText: return nil
    default: return "Reject"
    }
  }
}
