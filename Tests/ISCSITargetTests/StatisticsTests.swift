import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// What is counted, and where it can be read.
@Suite("Statistics")
struct StatisticsTests {
  @Test("Bucket bounds double from 1,024 ns")
  func histogram() {
    #expect(LatencyHistogram.upperBoundNanoseconds(0) == 1024)
    #expect(LatencyHistogram.upperBoundNanoseconds(26) == 1 << 36)
    #expect(LatencyHistogram.upperBoundNanoseconds(27) == nil)
  }

  @Test("A unit's counters add up over reactors: commands, bytes, latencies, errors by kind")
  func unit() throws {
    let target = try SimulatedTarget(
      seed: 51, targets: [Example.open(units: 2)], reactorCount: 3)
    target.world.latencies.diskRead = 5_000_000...5_000_000
    target.world.latencies.diskWrite = 20_000_000...20_000_000
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    for initiator in initiators {
      let tags = (0..<4).map { initiator.startWrite($0, Example.pattern(512)) }
      for tag in tags { #expect(initiator.completeWrite(tag, Example.pattern(512)).outcome == 0) }
      #expect(initiator.read(0, 8)?.status == 0)
      #expect(initiator.read(1 << 40, 8)?.status == 2)
    }
    let statistics = target.units[0].unitStatistics
    #expect(statistics.commands.writes == 12)
    #expect(statistics.commands.reads == 3)
    #expect(statistics.commands.bytesWritten == 12 * 512)
    #expect(statistics.commands.bytesRead == 3 * 4096)
    // The unit attention of every login, and LBA OUT OF RANGE.
    #expect(statistics.commands.failures[6] == 3)
    #expect(statistics.commands.failures[5] == 3)
    #expect(statistics.commands.others == 0)
    #expect(statistics.queueDepth == 0)
    #expect(statistics.queueDepthMax == 4)
    #expect(statistics.readLatency.total == 3)
    #expect(statistics.writeLatency.total == 12)
    // Below 2^23 ns, and from 2^24 to 2^27.
    #expect(statistics.readLatency.counts[13] == 3)
    #expect(statistics.writeLatency.counts[15...17].reduce(0, +) == 12)
    #expect(statistics.readNanoseconds >= 15_000_000)
    #expect(target.units[1].unitStatistics == UnitStatistics())
    #expect(initiators[0].command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.units[0].unitStatistics.commands.others == 1)
    #expect(target.isIdle(after: initiators))
  }

  @Test("Conflicts and commands in progress are counted")
  func conflicts() throws {
    let target = try SimulatedTarget(seed: 52, targets: [Example.open()], reactorCount: 2)
    let nodes = try ReservationTests.cluster(target, count: 2)
    let other = try ScriptedInitiator.loggedIn(target, number: 9)
    #expect(other.write(0, Example.pattern(512))?.status == ReservationTests.conflict)
    #expect(target.units[0].unitStatistics.commands.reservationConflicts == 1)
    let hang = try target.disk().inject(DiskFault(.hang, on: .write))
    _ = nodes[0].startWrite(0, Example.pattern(512), style: WriteStyle(immediate: 512))
    target.pass(milliseconds: 20)
    #expect(target.units[0].unitStatistics.queueDepth == 1)
    hang.release()
    #expect(target.isIdle(after: nodes + [other]))
  }

  @Test("Logins that fail are counted by reason")
  func loginFailures() throws {
    var limits = ServerLimits()
    limits.loginTimeout = .seconds(5)
    let target = try SimulatedTarget(
      seed: 53, targets: [Example.open()], reactorCount: 2, limits: limits)
    let lost = ScriptedInitiator(target)
    #expect(lost.login(to: "iqn.2026-11.com.example:nowhere") == 0x0203)
    let silent = ScriptedInitiator(target)
    let good = try ScriptedInitiator.loggedIn(target)
    target.pass(milliseconds: 6_000)
    var statistics: [WorkerStatistics]?
    target.workers[0].statistics { statistics = $0 }
    target.run(seconds: 1) { statistics != nil }
    let all = try #require(statistics)
    let failures = all.reduce(into: [:]) { $0.merge($1.loginFailures, uniquingKeysWith: +) }
    #expect(failures == [.notFound: 1, .timeout: 1])
    #expect(all.map(\.logins).reduce(0, +) == 1)
    #expect(all.map(\.sessions).reduce(0, +) == 1)
    #expect(all.map(\.reactorIndex) == [0, 1])
    #expect(target.isIdle(after: [lost, silent, good]))
  }

  @Test("A digest error is counted by its kind")
  func digestErrors() throws {
    let target = try SimulatedTarget(seed: 54, targets: [Example.open()])
    let initiator = try ScriptedInitiator.loggedIn(target, keys: [("HeaderDigest", "CRC32C")])
    initiator.peer.send([UInt8](repeating: 0, count: 52))
    #expect(initiator.waitForClose(seconds: 1))
    var statistics: [WorkerStatistics]?
    target.workers[0].statistics { statistics = $0 }
    target.run(seconds: 1) { statistics != nil }
    #expect(statistics?.first?.headerDigestErrors == 1)
    #expect(statistics?.first?.dataDigestErrors == 0)
    #expect(target.isIdle(after: []))
  }
}
