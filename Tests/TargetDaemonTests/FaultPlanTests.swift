import BackingStore
import Reactor
import Testing

@testable import TargetDaemon

@Suite("Faults from the environment")
struct FaultPlanTests {
  @Test("Sentences become faults with their ranges, counts and delays")
  func sentences() throws {
    let plan = try FaultPlan(
      "disk: write delay=5-500 seed=7; disk:sync fail=EIO after=3 count=1; other : any stop")
    #expect(
      plan.faults(of: "disk") == [
        StoreFault(.delay(5...500), on: .write),
        StoreFault(.failure(.medium(.inputOutput)), on: .synchronize, skipping: 3, count: 1),
      ])
    #expect(plan.faults(of: "other") == [StoreFault(.stop)])
    let ranged = try FaultPlan("d: discard fail=ENOSPC range=512-1023")
    #expect(
      ranged.faults(of: "d") == [StoreFault(.failure(.outOfSpace), on: .discard, in: 512..<1024)])
    #expect(try FaultPlan("").faults(of: "disk").isEmpty)
  }

  @Test(
    "What cannot be understood is an error that quotes it",
    arguments: [
      "disk", "disk:", "disk: write", "disk: wrote stop", "disk: write delay=",
      "disk: write delay=9-5",
      "disk: write fail=EWHAT", "disk: write stop delay=5", "disk: write stop count=0",
      "disk: write stop range=7-18446744073709551615", "disk: write stop when=now",
    ])
  func wrong(_ text: String) {
    let error = #expect(throws: DaemonError.self) { try FaultPlan(text) }
    #expect(error?.description == "SWIFT_TGTD_FAULTS: cannot understand \"\(text)\"")
  }
}
