internal import Reactor
internal import SCSIModel

extension DeviceServer {
  /// The parameter list that came with `task`. A PARAMETER LIST LENGTH of 0 is an empty one, and no
  /// error (SPC-4 §4.2.5.5); a list that came in part or not at all is one: what the rest would
  /// have said nobody knows.
  func parameterList(of task: SCSITask) throws(SenseData) -> [UInt8] {
    guard task.transferLength > 0 else { return [] }
    guard let data = task.data, UInt64(task.dataCount) == task.transferLength else {
      throw .parameterListLengthError
    }
    return data.bytes(0..<task.dataCount)
  }
}
