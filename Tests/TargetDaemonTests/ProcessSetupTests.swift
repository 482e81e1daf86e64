import CTestSupport
import Glibc
import Logging
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("What the process asks for itself")
struct ProcessSetupTests {
  /// T-SEC-1.
  @Test("No core file, in which there would be secrets, and no end by a peer that closes")
  func prepare() async {
    await #expect(processExitsWith: .success) {
      #expect(clinux_may_dump_core() != 0)
      let book = LogBook()
      ProcessSetup.prepare(book.logger)
      #expect(clinux_may_dump_core() == 0)
      #expect(raise(SIGPIPE) == 0)
      #expect(book.lines.isEmpty)
    }
  }
}
