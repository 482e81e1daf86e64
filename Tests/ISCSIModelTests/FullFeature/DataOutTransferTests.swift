import Bytes
import ISCSIModel
import Testing

private let lun: UInt64 = 0x0001_0000_0000_0000
private let task = InitiatorTaskTag(rawValue: 77)

private func write(
  expected: UInt32, immediate: Int = 0, isFinal: Bool = true
) -> SCSICommandRequest {
  SCSICommandRequest(
    isFinal: isFinal, isWrite: true, lun: lun, initiatorTaskTag: task,
    expectedDataTransferLength: expected, cmdSN: SerialNumber(1), expStatSN: SerialNumber(1),
    cdb: InlineArray(repeating: 0), dataSegmentLength: immediate)
}

private func dataOut(
  _ tag: TargetTransferTag = .reserved, sn: UInt32, at offset: Int, _ length: Int, final: Bool,
  lun: UInt64 = lun
) -> DataOut {
  DataOut(
    isFinal: final, lun: lun, initiatorTaskTag: task, targetTransferTag: tag,
    expStatSN: SerialNumber(1), dataSN: SerialNumber(sn), bufferOffset: UInt32(offset),
    dataSegmentLength: length)
}

@Suite("Data-Out transfer")
struct DataOutTransferTests {
  private let open = DataTransferParameters(
    initialR2T: false, firstBurstLength: 4096, maxBurstLength: 2048, maxOutstandingR2T: 2,
    targetMaxRecvDataSegmentLength: 1024)
  private let a = TargetTransferTag(rawValue: 0xA)
  private let b = TargetTransferTag(rawValue: 0xB)

  @Test("All data immediate needs nothing more")
  func allImmediate() throws {
    let transfer = try DataOutTransfer(
      of: write(expected: 512, immediate: 512), neededLength: 512, parameters: open)
    #expect(transfer.isComplete && !transfer.wantsR2T && transfer.wantedImmediateLength == 512)
  }

  @Test("What is discarded is complete when each sequence under way has had its F, in any order")
  func discarding() throws {
    var transfer = try DataOutTransfer(
      of: write(expected: 8000), neededLength: 8000, parameters: open)
    _ = transfer.nextR2T(tag: a)
    _ = transfer.nextR2T(tag: b)
    transfer.discardRest()
    #expect(!transfer.isComplete && !transfer.wantsR2T && transfer.outstandingTags == [a, b])
    let unknown = dataOut(TargetTransferTag(rawValue: 0xC), sn: 9, at: 9999, 5000, final: true)
    #expect(transfer.received(unknown) == .sequenceComplete(wanted: 0))
    #expect(transfer.received(dataOut(b, sn: 7, at: 0, 1, final: false)) == .accepted(wanted: 0))
    #expect(
      transfer.received(dataOut(b, sn: 7, at: 0, 1, final: true)) == .sequenceComplete(wanted: 0))
    #expect(!transfer.isComplete && transfer.outstandingTags == [a])
    #expect(
      transfer.received(dataOut(a, sn: 7, at: 0, 0, final: true)) == .allDataReceived(wanted: 0))
    #expect(transfer.isComplete)
  }

  @Test("A command that was wrong itself has its unsolicited data discarded, if it announced any")
  func discardingFromTheStart() {
    var transfer = DataOutTransfer(discarding: write(expected: 512, isFinal: false))
    #expect(!transfer.isComplete && !transfer.wantsR2T && transfer.wantedImmediateLength == 0)
    #expect(
      transfer.received(dataOut(sn: 0, at: 0, 512, final: true)) == .allDataReceived(wanted: 0))
    #expect(transfer.isComplete)
    #expect(DataOutTransfer(discarding: write(expected: 512)).isComplete)
  }

  @Test("Immediate, then unsolicited, then two R2Ts at once, answered in their order")
  func allThreeKinds() throws {
    var transfer = try DataOutTransfer(
      of: write(expected: 8000, immediate: 1000, isFinal: false), neededLength: 8000,
      parameters: open)
    #expect(transfer.nextR2T(tag: a) == nil)
    for index in 0..<3 {
      let pdu = dataOut(sn: UInt32(index), at: 1000 + index * 1024, 1024, final: false)
      #expect(transfer.received(pdu) == .accepted(wanted: 1024))
    }
    #expect(
      transfer.received(dataOut(sn: 3, at: 4072, 24, final: true)) == .sequenceComplete(wanted: 24))
    let first = transfer.nextR2T(tag: a)
    #expect(
      first?.bufferOffset == 4096 && first?.desiredLength == 2048 && first?.r2tSN.rawValue == 0)
    let second = transfer.nextR2T(tag: b)
    #expect(
      second?.bufferOffset == 6144 && second?.desiredLength == 1856 && second?.r2tSN.rawValue == 1)
    #expect(transfer.nextR2T(tag: TargetTransferTag(rawValue: 0xC)) == nil)
    #expect(
      transfer.received(dataOut(b, sn: 0, at: 4096, 1024, final: false))
        == .violation(.sequenceOutOfOrder))
    #expect(
      transfer.received(dataOut(a, sn: 0, at: 4096, 1024, final: false)) == .accepted(wanted: 1024))
    #expect(
      transfer.received(dataOut(a, sn: 1, at: 5120, 1024, final: true))
        == .sequenceComplete(wanted: 1024))
    #expect(
      transfer.received(dataOut(b, sn: 0, at: 6144, 1000, final: false)) == .accepted(wanted: 1000))
    #expect(
      transfer.received(dataOut(b, sn: 1, at: 7144, 856, final: true))
        == .allDataReceived(wanted: 856))
    #expect(transfer.isComplete)
  }

  @Test("T-DO-1: each field of a Data-Out that lies has its own violation, and changes nothing")
  func lies() throws {
    var transfer = try DataOutTransfer(
      of: write(expected: 4096), neededLength: 4096, parameters: open)
    #expect(
      transfer.received(dataOut(sn: 0, at: 0, 8, final: true))
        == .violation(.unexpectedUnsolicitedData))
    #expect(
      transfer.received(dataOut(a, sn: 0, at: 0, 8, final: true))
        == .violation(.unknownTargetTransferTag))
    #expect(transfer.nextR2T(tag: a) != nil)
    let cases: [(DataOut, DataOutTransfer.Violation)] = [
      (dataOut(b, sn: 0, at: 0, 1024, final: false), .unknownTargetTransferTag),
      (dataOut(sn: 0, at: 0, 1024, final: false), .unexpectedUnsolicitedData),
      (dataOut(a, sn: 0, at: 0, 1024, final: false, lun: 0), .wrongLUN),
      (dataOut(a, sn: 1, at: 0, 1024, final: false), .wrongDataSN(expected: SerialNumber(0))),
      (dataOut(a, sn: 0, at: 1, 1024, final: false), .wrongBufferOffset(expected: 0)),
      (dataOut(a, sn: 0, at: 0, 1025, final: false), .segmentTooLong),
      (dataOut(a, sn: 0, at: 0, 1024, final: true), .finalTooEarly),
    ]
    for (pdu, violation) in cases {
      #expect(transfer.received(pdu) == .violation(violation))
    }
    #expect(transfer.receivedLength == 0)
    #expect(
      transfer.received(dataOut(a, sn: 0, at: 0, 1024, final: false)) == .accepted(wanted: 1024))
    let repeated = dataOut(a, sn: 0, at: 0, 1024, final: false)
    #expect(
      transfer.received(repeated) == .violation(.wrongDataSN(expected: SerialNumber(1))))
    #expect(
      transfer.received(dataOut(a, sn: 1, at: 512, 512, final: false))
        == .violation(.wrongBufferOffset(expected: 1024)))
    #expect(
      transfer.received(dataOut(a, sn: 1, at: 1024, 1024, final: false))
        == .violation(.finalMissing))
    #expect(
      transfer.received(dataOut(a, sn: 1, at: 1024, 1000, final: false))
        == .accepted(wanted: 1000))
    #expect(
      transfer.received(dataOut(a, sn: 2, at: 2024, 25, final: true))
        == .violation(.tooMuchSolicitedData))
  }

  @Test("T-DO-1: immediate and unsolicited data must be agreed and fit both bounds")
  func unsolicitedBounds() throws {
    func refusal(
      _ command: SCSICommandRequest, _ parameters: DataTransferParameters
    ) -> DataOutTransfer.Violation? {
      do throws(DataOutTransfer.Violation) {
        _ = try DataOutTransfer(of: command, neededLength: 4096, parameters: parameters)
        return nil
      } catch { return error }
    }
    var closed = open
    closed.immediateData = false
    #expect(refusal(write(expected: 512, immediate: 1), closed) == .immediateDataNotAllowed)
    #expect(refusal(write(expected: 512, immediate: 513), open) == .tooMuchUnsolicitedData)
    #expect(refusal(write(expected: 4096, immediate: 1025), open) == .segmentTooLong)
    var small = open
    small.firstBurstLength = 512
    #expect(refusal(write(expected: 4096, immediate: 513), small) == .tooMuchUnsolicitedData)
    var polite = open
    polite.initialR2T = true
    #expect(refusal(write(expected: 512, isFinal: false), polite) == .unexpectedUnsolicitedData)

    var transfer = try DataOutTransfer(
      of: write(expected: 4096, immediate: 500, isFinal: false), neededLength: 4096,
      parameters: small)
    #expect(
      transfer.received(dataOut(sn: 0, at: 500, 13, final: true))
        == .violation(.tooMuchUnsolicitedData))
    #expect(
      transfer.received(dataOut(sn: 0, at: 500, 12, final: false)) == .violation(.finalMissing))
  }

  @Test("An early F ends the unsolicited data; the rest is asked for")
  func earlyFinal() throws {
    var transfer = try DataOutTransfer(
      of: write(expected: 1000, isFinal: false), neededLength: 1000, parameters: open)
    #expect(
      transfer.received(dataOut(sn: 0, at: 0, 100, final: true)) == .sequenceComplete(wanted: 100))
    let plan = transfer.nextR2T(tag: a)
    #expect(plan?.bufferOffset == 100 && plan?.desiredLength == 900)
  }

  @Test("T-EDTL-1: of more data than the command needs only the need is asked for and kept")
  func moreThanNeeded() throws {
    var transfer = try DataOutTransfer(
      of: write(expected: 3000, immediate: 500, isFinal: false), neededLength: 700,
      parameters: open)
    #expect(
      transfer.received(dataOut(sn: 0, at: 500, 1000, final: false)) == .accepted(wanted: 200))
    #expect(
      transfer.received(dataOut(sn: 1, at: 1500, 1000, final: true))
        == .allDataReceived(wanted: 0))
    #expect(!transfer.wantsR2T)

    var solicited = try DataOutTransfer(
      of: write(expected: 3000), neededLength: 700, parameters: open)
    #expect(solicited.nextR2T(tag: a)?.desiredLength == 700)
    #expect(solicited.nextR2T(tag: b) == nil)
    let huge = try DataOutTransfer(of: write(expected: 512), neededLength: .max, parameters: open)
    #expect(huge.wantedLength == 512)
  }

  @Test("A zero-length Data-Out is taken, as §11.7.7 demands")
  func zeroLength() throws {
    var transfer = try DataOutTransfer(of: write(expected: 8), neededLength: 8, parameters: open)
    _ = transfer.nextR2T(tag: a)
    #expect(transfer.received(dataOut(a, sn: 0, at: 0, 0, final: false)) == .accepted(wanted: 0))
    #expect(
      transfer.received(dataOut(a, sn: 1, at: 0, 8, final: true)) == .allDataReceived(wanted: 8))
  }

  @Test("A correct initiator always completes, and any single wrong field is a violation")
  func property() throws {
    for seed in 0..<1000 {
      var generator = SplitMix64(seed: UInt64(seed))
      try run(seed: seed, &generator)
    }
  }

  private func run(seed: Int, _ generator: inout SplitMix64) throws {
    let parameters = DataTransferParameters(
      immediateData: .random(using: &generator), initialR2T: .random(using: &generator),
      firstBurstLength: .random(in: 1...64, using: &generator),
      maxBurstLength: .random(in: 1...64, using: &generator),
      maxOutstandingR2T: .random(in: 1...12, using: &generator),
      targetMaxRecvDataSegmentLength: .random(in: 1...48, using: &generator))
    let expected = Int.random(in: 0...300, using: &generator)
    let needed = Int.random(in: 0...350, using: &generator)
    let budget = min(expected, parameters.firstBurstLength)
    let segment = parameters.targetMaxRecvDataSegmentLength
    let immediate =
      parameters.immediateData
      ? Int.random(in: 0...min(budget, segment), using: &generator) : 0
    let sendsMore = !parameters.initialR2T && immediate < budget && Bool.random(using: &generator)

    var transfer = try DataOutTransfer(
      of: write(expected: UInt32(expected), immediate: immediate, isFinal: !sendsMore),
      neededLength: UInt64(needed), parameters: parameters)
    var kept = transfer.wantedImmediateLength
    if sendsMore {
      kept += send(
        from: immediate, to: budget, tag: .reserved, segment, &transfer, &generator, seed)
    }
    var nextTag: UInt32 = 100
    var pending: [DataOutTransfer.R2TPlan] = []
    var r2tSN: UInt32 = 0
    while !transfer.isComplete {
      while transfer.wantsR2T,
        let plan = transfer.nextR2T(tag: TargetTransferTag(rawValue: nextTag))
      {
        #expect(plan.r2tSN.rawValue == r2tSN && plan.desiredLength <= parameters.maxBurstLength)
        pending.append(plan)
        nextTag += 1
        r2tSN += 1
      }
      #expect(pending.count <= min(parameters.maxOutstandingR2T, 8))
      guard !pending.isEmpty else {
        Issue.record("seed \(seed): nothing is due and the transfer is not complete")
        return
      }
      let plan = pending.removeFirst()
      let start = Int(plan.bufferOffset)
      kept += send(
        from: start, to: start + Int(plan.desiredLength), tag: plan.targetTransferTag, segment,
        &transfer, &generator, seed)
    }
    #expect(kept == min(needed, expected), "seed \(seed)")
    #expect(pending.isEmpty)
  }

  /// Sends one sequence as an initiator should; before each PDU tries it with one field wrong.
  private func send(
    from start: Int, to end: Int, tag: TargetTransferTag, _ segment: Int,
    _ transfer: inout DataOutTransfer, _ generator: inout SplitMix64, _ seed: Int
  ) -> Int {
    var (offset, sn, kept) = (start, UInt32(0), 0)
    while offset < end {
      let length = Int.random(in: 1...min(segment, end - offset), using: &generator)
      let final = offset + length == end
      for wrong in mutants(tag, sn: sn, at: offset, length, final: final, room: end - offset) {
        var copy = transfer
        guard case .violation = copy.received(wrong) else {
          Issue.record("seed \(seed): \(wrong.header.hex) was taken")
          continue
        }
        #expect(copy.receivedLength == transfer.receivedLength)
      }
      switch transfer.received(dataOut(tag, sn: sn, at: offset, length, final: final)) {
      case .accepted(let wanted):
        #expect(!final)
        kept += wanted
      case .sequenceComplete(let wanted), .allDataReceived(let wanted):
        #expect(final)
        kept += wanted
      case .violation(let violation): Issue.record("seed \(seed): \(violation)")
      }
      offset += length
      sn += 1
    }
    return kept
  }

  private func mutants(
    _ tag: TargetTransferTag, sn: UInt32, at offset: Int, _ length: Int, final: Bool, room: Int
  ) -> [DataOut] {
    var mutants = [
      dataOut(TargetTransferTag(rawValue: 99), sn: sn, at: offset, length, final: final),
      dataOut(tag, sn: sn &+ 1, at: offset, length, final: final),
      dataOut(tag, sn: sn &- 1, at: offset, length, final: final),
      dataOut(tag, sn: sn, at: offset + 1, length, final: final),
      dataOut(tag, sn: sn, at: offset == 0 ? 0xFFFF_FFFF : offset - 1, length, final: final),
      dataOut(tag, sn: sn, at: offset, room + 1, final: final),
    ]
    if final { mutants.append(dataOut(tag, sn: sn, at: offset, length, final: false)) }
    guard tag != .reserved else { return mutants }
    // Solicited data only: an early F, or a short last PDU, is legal where nothing was asked for.
    mutants.append(dataOut(.reserved, sn: sn, at: offset, length, final: final))
    mutants.append(dataOut(tag, sn: sn, at: offset, length, final: final, lun: lun + 1))
    if final { mutants.append(dataOut(tag, sn: sn, at: offset, length - 1, final: true)) }
    if !final { mutants.append(dataOut(tag, sn: sn, at: offset, length, final: true)) }
    return mutants
  }
}
