internal import BackingStore
internal import Reactor
internal import SCSIModel

// POPULATE TOKEN and WRITE USING TOKEN (SBC-3 §5.7, §5.46): the copies of Windows. A token is good
// for whoever shows it, as far as he may read the unit it is of and write the one he shows it to;
// only the logical units of his own nexus are asked whether they know it.
extension DeviceServer {
  func populateToken(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    // PARAMETER LIST LENGTH 0 asks for nothing and is no error.
    guard task.transferLength > 0 else { return end(task, .good) }
    do throws(SenseData) {
      let list = try PopulateTokenParameterList(decoding: try parameterList(of: task))
      let byteCount = try byteCount(of: list.ranges, lengthByte: 14)
      let record = try beginTokenRecord(task, nexus)
      record.results.token = unit.tokens.issue(
        list.ranges, to: nexus.initiatorTarget.identity.initiator.name,
        creator: unit.cscdDescriptor,
        byteCount: byteCount, inactivitySeconds: list.inactivitySeconds, now: reactor.now)
      record.results.bytesTransferred = byteCount
      record.results.status = .completed
      nexus.copies.end(record, now: reactor.now)
      end(task, .good)
    } catch {
      end(task, error)
    }
  }

  func writeUsingToken(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    guard task.transferLength > 0 else { return end(task, .good) }
    guard mayBeginCopy(for: nexus) else { return end(task, .busy) }
    do throws(SenseData) {
      let list = try WriteUsingTokenParameterList(decoding: try parameterList(of: task))
      _ = try byteCount(of: list.ranges, lengthByte: 534)
      let runs = try runs(of: list, nexus)
      let record = try beginTokenRecord(task, nexus)
      // DEL_TKN: not before the copy is done, as who is told BUSY shows the token again.
      CopyOperation(task, nexus, record, runs: runs, segmentCount: list.ranges.count) {
        guard list.deletesToken else { return }
        for other in nexus.initiatorTarget.unitNexuses {
          other.server.unit.tokens.forget(list.token)
        }
      }.start()
    } catch {
      end(task, error)
    }
  }

  private func beginTokenRecord(
    _ task: SCSITask, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> CopyRecords.Record {
    let record = CopyRecords.Record(
      listIdentifier: task.cdb.copyListIdentifier(task.command), usage: .hold,
      results: copyResults(task))
    try nexus.copies.begin(record, now: reactor.now)
    return record
  }

  /// The size of `ranges`, all of which exist and are together not more than one token may stand
  /// for.
  private func byteCount(
    of ranges: [BlockRange], lengthByte: Int
  ) throws(SenseData) -> UInt64 {
    var total: UInt64 = 0  // At most 64 ranges of 2^32 − 1 blocks of 4096 bytes: no overflow.
    for range in ranges {
      guard range.isWithin(unit.capacity) else { throw .logicalBlockAddressOutOfRange }
      total += range.count.rawValue * UInt64(unit.blockBytes)
    }
    guard total <= UInt64(CopyLimits.tokenBytesMax) else {
      throw .invalidFieldInParameterList(byte: lengthByte, bit: 7)
    }
    return total
  }

  private func runs(
    of list: WriteUsingTokenParameterList, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> [CopyRun] {
    let destination = TokenRange.list(list.ranges, blockBytes: unit.blockBytes)
    switch try RODToken.type(of: list.token) {
    case .blockDeviceZero:
      return destination.enumerated().map { index, range in
        CopyRun(
          source: nil, sourceOffset: 0, destination: nexus, destinationOffset: range.offset,
          byteCount: range.count, segment: index)
      }
    case .accessUponReference:
      let (source, ranges) = try find(list, nexus)
      return try pair(destination, with: ranges, of: source, list, nexus)
    }
  }

  /// The logical unit that the token is of, and the blocks.
  private func find(
    _ list: WriteUsingTokenParameterList, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> (LogicalUnitNexus, [TokenRange]) {
    for other in nexus.initiatorTarget.unitNexuses {
      let tokens = other.server.unit.tokens
      guard let ranges = tokens.ranges(of: list.token, now: reactor.now) else { continue }
      guard other.allows(.read16) else { throw .thirdPartyDeviceFailure(segment: 0) }
      return (other, TokenRange.list(ranges, blockBytes: other.server.unit.blockBytes))
    }
    throw .tokenUnknown
  }

  /// Lays the ranges to be written beside those of the token, from OFFSET INTO ROD on.
  private func pair(
    _ destination: [TokenRange], with token: [TokenRange], of source: LogicalUnitNexus,
    _ list: WriteUsingTokenParameterList, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> [CopyRun] {
    let size = token.reduce(0) { $0 + $1.count }
    let wanted = destination.reduce(0) { $0 + $1.count }
    let (skipped, overflow) = list.offsetBlocks.multipliedReportingOverflow(
      by: UInt64(unit.blockBytes))
    guard !overflow, skipped <= size, wanted <= size - skipped else {
      throw .invalidFieldInParameterList(byte: 8, bit: 7)
    }
    var token = TokenRange.dropping(skipped, of: token)[...]
    var runs: [CopyRun] = []
    for (index, range) in destination.enumerated() {
      var rest = range
      while rest.count > 0, let next = token.first {
        let count = min(rest.count, next.count)
        guard count % UInt64(unit.blockBytes) == 0,
          count % UInt64(source.server.unit.blockBytes) == 0,
          next.offset % UInt64(source.server.unit.blockBytes) == 0
        else { throw .invalidFieldInParameterList(byte: 536 + index * 16, bit: 7) }
        runs.append(
          CopyRun(
            source: source, sourceOffset: next.offset, destination: nexus,
            destinationOffset: rest.offset, byteCount: count, segment: index))
        rest = rest.dropping(count)
        let left = next.dropping(count)
        token = left.count > 0 ? [left] + token.dropFirst() : token.dropFirst()
      }
    }
    return runs
  }
}

/// Bytes of a store, as a range of a token's parameter list says.
private struct TokenRange {
  var offset: UInt64
  var count: UInt64

  /// The ranges exist, so that neither product nor sum overflows.
  static func list(_ ranges: [BlockRange], blockBytes: Int) -> [TokenRange] {
    ranges.map {
      TokenRange(
        offset: $0.start.rawValue * UInt64(blockBytes),
        count: $0.count.rawValue * UInt64(blockBytes))
    }.filter { $0.count > 0 }
  }

  func dropping(_ bytes: UInt64) -> TokenRange {
    TokenRange(offset: offset + bytes, count: count - bytes)
  }

  /// What is left behind the first `bytes`, which are not more than there are.
  static func dropping(_ bytes: UInt64, of ranges: [TokenRange]) -> [TokenRange] {
    var skipped = bytes
    var rest: [TokenRange] = []
    for range in ranges {
      let step = min(skipped, range.count)
      skipped -= step
      if step < range.count { rest.append(range.dropping(step)) }
    }
    return rest
  }
}
