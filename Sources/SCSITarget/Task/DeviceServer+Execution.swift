internal import BackingStore
internal import Reactor
internal import SCSIModel

extension DeviceServer {
  /// Starts an admitted task whose data-out, if it has any, is in `task.data`: as many bytes as it
  /// needs or as the initiator expected to send, whichever is less. Ends by calling the owner,
  /// before this returns or later.
  public func execute(_ task: SCSITask) {
    precondition(task.phase == .collectingData, "only an admitted task executes, and once")
    task.hasItsData = true
    // The one place where the order of the task set holds a task back.
    if isOrdering, !task.isCopyStep {
      if mustWait(task) { return }
    } else {
      givePlace(task)
    }
    begin(task)
  }

  /// Starts a task whose turn has come, if it still may.
  func begin(_ task: SCSITask) {
    guard let nexus = task.nexus else { preconditionFailure("an admitted task has a nexus") }
    do throws(Refusal) {
      try mayProceed(task, nexus)
    } catch {
      return end(task, error)
    }
    if !rangeLocks.closed.isEmpty, holdIfExcluded(task) { return }
    task.phase = .executing
    dispatch(task, nexus)
  }

  private func dispatch(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    switch task.command {
    case .read6, .read10, .read12, .read16, .read32: read(task)
    case .write6, .write10, .write12, .write16, .write32: write(task)
    case .writeAndVerify10, .writeAndVerify12, .writeAndVerify16, .writeAndVerify32:
      writeAndVerify(task)
    case .verify10, .verify12, .verify16, .verify32: verify(task)
    case .compareAndWrite, .orWrite16, .writeAtomic16: lockBlocks(task)
    case .synchronizeCache10, .synchronizeCache16: synchronize(task, then: .finish)
    case .writeSame10, .writeSame16, .writeSame32: writeSame(task)
    case .preFetch10, .preFetch16: preFetch(task)
    case .unmap: unmap(task)
    case .readCapacity10, .readCapacity16: readCapacity(task)
    case .getLBAStatus: getLBAStatus(task)
    case .reportReferrals: reportReferrals(task, nexus)
    case .readDefectData10, .readDefectData12: readDefectData(task)
    case .testUnitReady: end(task, .good)
    case .startStopUnit: startStopUnit(task, nexus)
    case .preventAllowMediumRemoval: preventAllowMediumRemoval(task, nexus)
    case .formatUnit: formatUnit(task)
    case .sanitizeOverwrite: sanitizeOverwrite(task)
    case .sanitizeBlockErase: sanitizeBlockErase(task)
    case .sanitizeExitFailureMode: sanitizeExitFailureMode(task)
    case .requestSense: requestSense(task, nexus)
    case .inquiry: inquiry(task, nexus)
    case .modeSelect6, .modeSelect10: modeSelect(task, nexus)
    case .modeSense6, .modeSense10: modeSense(task, nexus)
    case .reportLUNs: reportLUNs(task, nexus)
    case .reportIdentifyingInformation: reportIdentifyingInformation(task)
    case .setIdentifyingInformation: setIdentifyingInformation(task, nexus)
    case .reportTargetPortGroups: reportTargetPortGroups(task, nexus)
    case .setTargetPortGroups: setTargetPortGroups(task, nexus)
    case .reportTimestamp: reportTimestamp(task)
    case .setTimestamp: setTimestamp(task, nexus)
    case .logSelect: logSelect(task, nexus)
    case .logSense: logSense(task)
    case .receiveDiagnosticResults: receiveDiagnosticResults(task)
    case .sendDiagnostic: sendDiagnostic(task)
    case .writeBuffer: writeBuffer(task, nexus)
    case .readBuffer: readBuffer(task, nexus)
    case .reportSupportedOperationCodes: reportSupportedOperationCodes(task)
    case .reportSupportedTaskManagementFunctions:
      reportSupportedTaskManagementFunctions(task, nexus)
    case .readKeys, .readReservation, .reportCapabilities, .readFullStatus:
      persistentReserveIn(task, nexus)
    case .register, .reserve, .release, .clear, .preempt, .preemptAndAbort,
      .registerAndIgnoreExistingKey, .registerAndMove, .replaceLostReservation:
      persistentReserveOut(task, nexus)
    case .reserve6, .reserve10: reserve(task, nexus)
    case .release6, .release10: release(task, nexus)
    case .extendedCopyLID1, .extendedCopyLID4: extendedCopy(task, nexus)
    case .populateToken: populateToken(task, nexus)
    case .writeUsingToken: writeUsingToken(task, nexus)
    case .copyOperationAbort: copyOperationAbort(task, nexus)
    case .receiveCopyStatusLID1, .receiveCopyDataLID1, .receiveCopyFailureDetailsLID1,
      .receiveCopyStatusLID4, .receiveRODTokenInformation:
      receiveCopyResults(task, nexus)
    case .receiveCopyOperatingParameters: receiveCopyOperatingParameters(task)
    }
  }

  // MARK: Steps

  /// Starts the operation that the task's request was prepared for; its end goes on with `step`.
  /// The one way to the store, and closed for a command that a change of reservations has
  /// overtaken.
  func start(_ task: SCSITask, then step: ExecutionStep) {
    precondition(task.phase == .executing && !task.isAborted, "an aborted task starts nothing")
    if task.isFenced {
      task.request.takeBack()
      return end(task, .reservationConflict)
    }
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
    if task.isAborted || failure != nil { takeBack(task) }
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
    case .writtenPiece: writtenPieceEnded(task)
    case .unmapRange: unmapNext(task)
    case .changeModes: changeModes(task)
    case .stopUnit: end(task, .good)
    case .compareThenWrite: compareThenWrite(task)
    case .uniteThenWrite: uniteThenWrite(task)
    case .unitedPiece: unitedPieceEnded(task)
    case .preFetchedPiece: preFetchedPieceEnded(task)
    case .reportExtents: reportExtents(task)
    }
  }

  /// Undoes what a step that failed or was aborted had done in advance.
  private func takeBack(_ task: SCSITask) {
    switch task.step {
    case .changeModes: keepWriteCache()
    case .stopUnit: keepStarted(task)
    default: break
    }
  }

  private func stepFailed(_ task: SCSITask, _ failure: StoreFailure) {
    switch (task.step, failure) {
    case (.writeSameByDeallocation, .unsupported): writeSameZeros(task)
    case (.writeSameByZeroing, .unsupported): writeSameByWriting(task)
    default:
      if failure == .outOfSpace { unit.noteOutOfSpace() }
      end(task, Refusal(failure, task.request, blockBytes: unit.blockBytes))
    }
  }

  func end(_ task: SCSITask, _ refusal: Refusal) { end(task, refusal.status, refusal.sense) }

  // MARK: Parameter data

  /// GOOD with `bytes`, cut to the ALLOCATION LENGTH; READ CAPACITY(10) has none.
  func answer(_ task: SCSITask, _ bytes: [UInt8], fromReserve: Bool = false) {
    let lengthMax = table[task.command].allocationLength(of: task.cdb)
    let isReturned = task.returnData(
      bytes, lengthMax: lengthMax, from: reactor.buffers, orReserve: fromReserve)
    guard isReturned else {
      task.nexus?.statusWasNotSent(of: task)
      return end(task, .busy)
    }
    end(task, .good)
  }
}
