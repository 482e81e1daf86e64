import CTestSupport
import Glibc
import Logging
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("What the process asks for itself")
struct ProcessSetupTests {
  /// T-SEC-1.
  @Test("No core file, which would hold secrets; no end by a peer that closes or a file too large")
  func prepare() async {
    await #expect(processExitsWith: .success) {
      #expect(clinux_may_dump_core() != 0)
      let book = LogBook()
      ProcessSetup.prepare(book.logger)
      #expect(clinux_may_dump_core() == 0)
      #expect(raise(SIGPIPE) == 0)
      #expect(raise(SIGXFSZ) == 0)
      #expect(book.lines.isEmpty)
    }
  }
}
