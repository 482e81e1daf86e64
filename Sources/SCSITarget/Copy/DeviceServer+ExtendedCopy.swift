internal import BackingStore
internal import Reactor
internal import SCSIModel

// EXTENDED COPY and COPY OPERATION ABORT (SPC-4 §6.3 to §6.5). **A copy is only between logical
// units that this initiator may use on this nexus**, and each step has the rights of its own READ
// or WRITE. What is not among them cannot be told from what does not exist.
extension DeviceServer {
  func extendedCopy(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    // PARAMETER LIST LENGTH 0 asks for nothing and is no error.
    guard task.transferLength > 0 else { return end(task, .good) }
    guard mayBeginCopy(for: nexus) else { return end(task, .busy) }
    do throws(SenseData) {
      let list = try copyList(task)
      let record = CopyRecords.Record(
        listIdentifier: list.listIdentifier, usage: list.usage, results: copyResults(task))
      try nexus.copies.begin(record, now: reactor.now)
      begin(list, task, nexus, record)
    } catch {
      end(task, error)
    }
  }

  /// Whether there is room for one more copy.
  func mayBeginCopy(for nexus: LogicalUnitNexus) -> Bool {
    let hasPlace = FairShare.admits(taken: copiesInProgress, of: CopyLimits.copiesMax) {
      tasks.count { $0.copy != nil && $0.isInitiator(of: nexus) }
    }
    return hasPlace && CopyOperation.hasMemoryToSpare(reactor.buffers)
  }

  private func copyList(_ task: SCSITask) throws(SenseData) -> ExtendedCopyParameterList {
    try ExtendedCopyParameterList(
      decoding: try parameterList(of: task),
      form: task.command == .extendedCopyLID1 ? .lid1 : .lid4)
  }

  func copyResults(_ task: SCSITask) -> CopyResults {
    CopyResults(
      serviceAction: UInt8(truncatingIfNeeded: task.cdb.serviceAction),
      blockLengthBytes: unit.logicalBlockBytes)
  }

  /// All segments are looked at before the first is copied.
  private func begin(
    _ list: ExtendedCopyParameterList, _ task: SCSITask, _ nexus: LogicalUnitNexus,
    _ record: CopyRecords.Record
  ) {
    let plan = CopyPlan(list, nexus)
    var runs: [CopyRun] = []
    var ending: CopyOperation.Ending?
    do throws(SenseData) {
      runs = try plan.runs()
    } catch {
      ending = CopyOperation.Ending(.checkCondition, error)
    }
    CopyOperation(
      task, nexus, record, runs: runs, segmentCount: list.segments.count, ending: ending
    ).start()
  }

  /// GOOD when nothing of the copy is left, or was.
  func copyOperationAbort(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let identifier = task.cdb.copyListIdentifier(task.command)
    guard let record = nexus.copies.record(identifier, now: reactor.now) else {
      return end(task, .invalidFieldInCDB(byte: 2, bit: 7))
    }
    guard let operation = record.operation else { return end(task, .good) }
    task.copy = operation
    operation.stop { [self] in end(task, .good) }
  }
}

/// What the segments of an EXTENDED COPY come to.
private struct CopyPlan {
  let list: ExtendedCopyParameterList
  let nexus: LogicalUnitNexus

  init(_ list: ExtendedCopyParameterList, _ nexus: LogicalUnitNexus) {
    self.list = list
    self.nexus = nexus
  }

  func runs() throws(SenseData) -> [CopyRun] {
    var runs: [CopyRun] = []
    for (index, segment) in list.segments.enumerated() {
      if let run = try run(segment, index) { runs.append(run) }
    }
    return runs
  }

  /// nil for a segment of no blocks.
  private func run(_ segment: CopySegment, _ index: Int) throws(SenseData) -> CopyRun? {
    let source = try unit(segment.source, segment: index, byte: 4)
    let destination = try unit(segment.destination, segment: index, byte: 6)
    let sourceBytes = UInt64(source.server.unit.blockBytes)
    let destinationBytes = UInt64(destination.server.unit.blockBytes)
    let byteCount =
      UInt64(segment.blockCount)
      * (segment.countsDestinationBlocks ? destinationBytes : sourceBytes)
    guard byteCount % sourceBytes == 0, byteCount % destinationBytes == 0 else {
      throw .unexpectedInexactSegment(index)
    }
    let run = CopyRun(
      source: source,
      sourceOffset: try offset(
        of: segment.sourceBlock, byteCount / sourceBytes, on: source, segment: index, byte: 12),
      destination: destination,
      destinationOffset: try offset(
        of: segment.destinationBlock, byteCount / destinationBytes, on: destination,
        segment: index, byte: 20),
      byteCount: byteCount, segment: index)
    guard source.allows(.read16), destination.allows(.write16) else {
      throw .thirdPartyDeviceFailure(segment: index)
    }
    return byteCount == 0 ? nil : run
  }

  private func offset(
    of block: UInt64, _ count: UInt64, on nexus: LogicalUnitNexus, segment: Int, byte: UInt16
  ) throws(SenseData) -> UInt64 {
    let unit = nexus.server.unit
    let range = BlockRange(start: block, count: count)
    guard range.isWithin(unit.capacity),
      let place = range.bytes(blockLengthBytes: unit.logicalBlockBytes)
    else { throw .copySegmentOutOfRange(segment: segment, byte: byte) }
    return UInt64(place.offset)
  }

  private func unit(
    _ identifier: UInt16, segment: Int, byte: UInt16
  ) throws(SenseData) -> LogicalUnitNexus {
    guard identifier != CopySegment.ownUnit else { return nexus }
    guard list.cscds.indices.contains(Int(identifier)), !list.cscds[Int(identifier)].isNull else {
      throw .unreachableCopyTarget(segment: segment, byte: byte)
    }
    let cscd = list.cscds[Int(identifier)]
    guard let found = nexus.initiatorTarget.unitNexus(named: cscd) else {
      throw .copyTargetDeviceNotReachable(segment: segment, byte: byte)
    }
    guard cscd.peripheralDeviceType == 0,
      cscd.blockLengthBytes == 0 || Int(cscd.blockLengthBytes) == found.server.unit.blockBytes
    else { throw .incorrectCopyTargetDeviceType(segment: segment, byte: byte) }
    return found
  }
}

extension InitiatorTargetNexus {
  /// The logical unit of this nexus that the device identification page calls so. If several LUNs
  /// lead to it, one that it may be written through.
  fileprivate func unitNexus(named cscd: CSCDDescriptor) -> LogicalUnitNexus? {
    let candidates = unitNexuses.filter { $0.server.unit.isNamed(by: cscd) }
    return candidates.first { !$0.isReadOnly } ?? candidates.first
  }
}

extension LogicalUnit {
  fileprivate func isNamed(by cscd: CSCDDescriptor) -> Bool {
    cscd.names(naa: naa, vendor: identity.vendor, vendorSpecific: identity.serial)
  }

  /// The unit as a token says who made it.
  var cscdDescriptor: CSCDDescriptor {
    CSCDDescriptor(naa: identity.naa, blockLengthBytes: geometry.logicalBlockBytes)
  }
}
