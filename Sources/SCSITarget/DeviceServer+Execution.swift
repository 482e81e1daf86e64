internal import BackingStore
internal import Reactor
internal import SCSIModel

extension DeviceServer {
  /// Starts an admitted task whose data-out, if it has any, is in `task.data`: as many bytes as it
  /// needs or as the initiator expected to send, whichever is less. Ends by calling the owner, before
  /// this returns or later.
  public func execute(_ task: SCSITask) {
    precondition(task.phase == .collectingData, "only an admitted task executes, and once")
    guard let nexus = task.nexus else { preconditionFailure("an admitted task has a nexus") }
    do throws(Refusal) {
      try mayProceed(task, nexus)
    } catch {
      return end(task, error)
    }
    task.phase = .executing
    dispatch(task, nexus)
  }

  private func dispatch(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    switch task.command {
    case .read6, .read10, .read12, .read16: read(task)
    case .write6, .write10, .write12, .write16: write(task)
    case .writeAndVerify10, .writeAndVerify12, .writeAndVerify16: writeAndVerify(task)
    case .verify10, .verify12, .verify16: verify(task)
    case .synchronizeCache10, .synchronizeCache16: synchronize(task, then: .finish)
    case .writeSame10, .writeSame16: writeSame(task)
    case .unmap: unmap(task)
    case .readCapacity10, .readCapacity16: readCapacity(task)
    case .testUnitReady, .preventAllowMediumRemoval: end(task, .good)
    case .startStopUnit: startStopUnit(task)
    case .requestSense: requestSense(task, nexus)
    case .inquiry: inquiry(task, nexus)
    case .modeSelect6, .modeSelect10: modeSelect(task, nexus)
    case .modeSense6, .modeSense10: modeSense(task, nexus)
    case .reportLUNs: reportLUNs(task, nexus)
    case .reportSupportedOperationCodes: reportSupportedOperationCodes(task)
    case .reportSupportedTaskManagementFunctions: reportSupportedTaskManagementFunctions(task)
    }
  }

  // MARK: Steps

  /// Starts the operation that the task's request was prepared for; its end goes on with `step`.
  func start(_ task: SCSITask, then step: ExecutionStep) {
    precondition(task.phase == .executing && !task.isAborted, "an aborted task starts nothing")
    task.step = step
    unit.store.start(task.request, on: reactor)
  }

  func synchronize(_ task: SCSITask, then step: ExecutionStep) {
    task.request.prepareSynchronize()
    start(task, then: step)
  }

  /// GOOD after the writes so far, on stable storage if the write cache is off.
  func finishDurably(_ task: SCSITask) {
    if unit.modes.writeCacheEnabled {
      end(task, .good)
    } else {
      synchronize(task, then: .finish)
    }
  }

  /// The task's store operation has completed.
  func stepEnded(_ task: SCSITask, _ failure: StoreFailure?) {
    precondition(task.phase == .executing, "only an executing task has operations in flight")
    if task.step == .changeModes, task.isAborted || failure != nil { keepWriteCache() }
    // Before any further step: an aborted command touches nothing more.
    if task.isAborted { return end(task, task.status) }
    if let failure { return stepFailed(task, failure) }
    switch task.step {
    case .finish: end(task, .good)
    case .returnBlocks: returnBlocks(task)
    case .finishWrite: finishWrite(task)
    case .readAfterSynchronize: readBlocks(task)
    case .verifyAfterWrite: verify(task)
    case .compare: compare(task)
    case .writeSameByDeallocation, .writeSameByZeroing: finishDurably(task)
    case .writeSameChunk: writeSameChunkEnded(task)
    case .unmapRange: unmapNext(task)
    case .changeModes: changeModes(task)
    }
  }

  private func stepFailed(_ task: SCSITask, _ failure: StoreFailure) {
    switch (task.step, failure) {
    case (.writeSameByDeallocation, .unsupported): writeSameZeros(task)
    case (.writeSameByZeroing, .unsupported): writeSameByWriting(task)
    default: end(task, Refusal(failure, task.request.operation))
    }
  }

  func end(_ task: SCSITask, _ refusal: Refusal) { end(task, refusal.status, refusal.sense) }

  // MARK: Parameter data

  /// GOOD with `bytes`, cut to the ALLOCATION LENGTH; READ CAPACITY(10) has none.
  func answer(_ task: SCSITask, _ bytes: [UInt8]) {
    let lengthMax = table[task.command].allocationLength(of: task.cdb)
    guard task.returnData(bytes, lengthMax: lengthMax, from: reactor.buffers) else {
      return end(task, .busy)
    }
    end(task, .good)
  }
}

extension CommandRow {
  /// The most parameter data that the command may return.
  func allocationLength(of cdb: CommandDescriptorBlock) -> Int {
    parameterLength == .none ? .max : cdb.parameterLengthBytes(parameterLength)
  }
}
