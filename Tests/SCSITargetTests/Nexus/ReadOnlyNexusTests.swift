import BackingStore
import Reactor
import SCSIModel
import StandardTables
import Testing

@testable import SCSITarget

/// What an initiator that the ACL lets only read may do to those that write.
@Suite("Initiators that may only read")
struct ReadOnlyNexusTests {
  /// A removable unit that one initiator may write and another may only read.
  private func pair() -> (reader: Bench, writer: Bench) {
    let store = TestStore(blockBytes: 512, blocks: 64)
    var options = Bench.options
    options.isRemovable = true
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    let writer = Bench(store, unit: unit)
    return (Bench(store, unit: unit, reactorIndex: 1, isReadOnly: true), writer)
  }

  /// Those that leave everything as it is for the others, whatever their CDB says.
  private static let harmless: Set<Command> = [
    .testUnitReady, .requestSense, .inquiry, .modeSense6, .modeSense10, .reportLUNs,
    .reportSupportedOperationCodes, .reportSupportedTaskManagementFunctions,
    .reportIdentifyingInformation, .reportTargetPortGroups, .reportTimestamp, .logSense,
    .receiveDiagnosticResults, .sendDiagnostic, .readKeys, .readReservation, .reportCapabilities,
    .readFullStatus, .read6, .read10, .read12, .read16, .read32, .verify10, .verify12, .verify16,
    .verify32, .synchronizeCache10, .synchronizeCache16, .readCapacity10, .readCapacity16,
    .getLBAStatus, .reportReferrals, .preFetch10, .preFetch16, .readDefectData10, .readDefectData12,
    // Of a nexus's own buffers, reservation and copies; what a copy writes is asked of its target.
    .writeBuffer, .readBuffer, .release6, .release10, .extendedCopyLID1, .extendedCopyLID4,
    .populateToken, .copyOperationAbort, .receiveCopyStatusLID1, .receiveCopyDataLID1,
    .receiveCopyOperatingParameters, .receiveCopyFailureDetailsLID1, .receiveCopyStatusLID4,
    .receiveRODTokenInformation,
  ]

  /// Those that may do harm, and do none with the CDB of `AdmissionTests.sensibleCommand`.
  private static let harmlessAsSent: Set<Command> = [.startStopUnit, .preventAllowMediumRemoval]

  @Test("Every command is harmless, or its row says that it writes or affects others")
  func everyRow() {
    for row in CommandTable.standard.rows {
      let isMarked = !row.traits.isDisjoint(with: [.writesMedium, .affectsOthers])
      #expect(isMarked != Self.harmless.contains(row.command), "\(row.name)")
    }
  }

  @Test("No command of the table gets past WRITE PROTECTED or ACCESS DENIED that should not")
  func everyCommand() {
    for row in CommandTable.standard.rows {
      let (reader, writer) = pair()
      let (cdb, out) = AdmissionTests.sensibleCommand(row)
      let outcome = reader.run(
        cdb, out: out, expected: row.direction == .dataIn ? 4096 : nil, telling: writer)
      let wanted: String? =
        MediumChange.isMade(by: row.opcode, action: row.serviceAction)
        ? "07/27/00"
        : Self.harmless.contains(row.command) || Self.harmlessAsSent.contains(row.command)
          ? nil : "05/20/02"
      if let wanted {
        #expect(outcome.summary == wanted, "\(row.name)")
        #expect(reader.store.log.isEmpty, "\(row.name)")
      } else {
        #expect(!["07/27/00", "05/20/02"].contains(outcome.summary), "\(row.name)")
      }
    }
  }

  @Test("It can neither stop, eject or load the unit nor keep the medium in")
  func medium() {
    let (reader, writer) = pair()
    for flags: UInt8 in [0, 2] {
      #expect(reader.run([0x1B, 0, 0, 0, flags, 0], telling: writer).summary == "05/20/02")
      #expect(writer.run(CDB.testUnitReady).summary == "good")
    }
    #expect(reader.run([0x1E, 0, 0, 0, 1, 0]).summary == "05/20/02")
    #expect(writer.run([0x1B, 0, 0, 0, 2, 0], telling: reader).summary == "good")
    #expect(reader.run([0x1B, 0, 0, 0, 3, 0], telling: writer).summary == "05/20/02")
    #expect(writer.run(CDB.testUnitReady).summary == "02/3A/00")
  }

  @Test("It may start a unit that is stopped, and allow the removal that it never prevented")
  func start() {
    let (reader, writer) = pair()
    #expect(writer.run([0x1B, 0, 0, 0, 0, 0], telling: reader).summary == "good")
    #expect(reader.run([0x1E, 0, 0, 0, 0, 0]).summary == "good")
    #expect(reader.run([0x1B, 0, 0, 0, 1, 0], telling: writer).summary == "good")
    #expect(reader.run([0x1B, 0, 0, 0, 0x12, 0], telling: writer).summary == "good")
    #expect(writer.run(CDB.testUnitReady).summary == "good")
  }
}
