internal import Reactor
internal import SCSIModel

// The commands that ask for the results of copies (SPC-4 §6.20 to §6.25, §6.28). A result is kept
// when it has been told: an initiator that lost the answer asks again.
extension DeviceServer {
  func receiveCopyResults(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let identifier = task.cdb.copyListIdentifier(task.command)
    guard let results = nexus.copies.record(identifier, now: reactor.now)?.results else {
      return end(task, .invalidFieldInCDB(byte: 2, bit: 7))
    }
    let format: SenseFormat = unit.modes.usesDescriptorSense ? .descriptor : .fixed
    switch task.command {
    case .receiveCopyDataLID1: answer(task, results.dataLID1())
    case .receiveCopyFailureDetailsLID1: answer(task, results.failureDetailsLID1(format))
    case .receiveCopyStatusLID4: answer(task, results.statusLID4(format))
    case .receiveRODTokenInformation: answer(task, results.tokenInformation(format))
    default: answer(task, results.statusLID1())
    }
  }

  func receiveCopyOperatingParameters(_ task: SCSITask) {
    answer(task, CopyOperatingParameters.encoded())
  }
}
