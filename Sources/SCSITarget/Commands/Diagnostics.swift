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
      try DiagnosticPages.check(try parameterList(of: task), task.cdb)
      end(task, .good)
    } catch {
      end(task, error)
    }
  }

  func receiveDiagnosticResults(_ task: SCSITask) {
    do throws(SenseData) {
      answer(task, try DiagnosticPages.receive(task.cdb))
    } catch {
      end(task, error)
    }
  }
}
