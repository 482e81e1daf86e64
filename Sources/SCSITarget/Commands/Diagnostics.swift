internal import Reactor
internal import SCSIModel

// SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-4 §6.42, §6.27): the default self-test and
// the list of pages.
extension DeviceServer {
  func sendDiagnostic(_ task: SCSITask) {
    // SPC-4 §6.42: a self-test takes no parameters. That the unit is ready was its test.
    if task.cdb.isSelfTest {
      return task.transferLength == 0
        ? end(task, .good) : end(task, .invalidFieldInCDB(byte: 3, bit: 7))
    }
    do throws(SenseData) {
      let list = try parameterList(of: task)
      if !list.isEmpty {
        guard task.cdb.isPageFormat else { throw .invalidFieldInCDB(byte: 1, bit: 4) }
        guard list.count >= 4 else { throw .parameterListLengthError }
        // Supported diagnostic pages, 00h: its request has no contents (SPC-4 §7.2.9).
        if let byte = list.prefix(4).firstIndex(where: { $0 != 0 }) {
          throw .invalidFieldInParameterList(byte: byte == 3 ? 2 : byte, bit: 7)
        }
        guard list.count == 4 else { throw .parameterListLengthError }
      }
      end(task, .good)
    } catch {
      end(task, error)
    }
  }

  /// With PCV or without, the one page there is: 00h, which lists itself.
  func receiveDiagnosticResults(_ task: SCSITask) {
    guard !task.cdb.isPageCodeValid || task.cdb.bytes[2] == 0 else {
      return end(task, .invalidFieldInCDB(byte: 2, bit: 7))
    }
    answer(task, [0, 0, 0, 1, 0])
  }
}
