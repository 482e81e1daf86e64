import Reactor
import SCSIModel
import SCSITarget
import ServiceFixtures
import Synchronization

@testable import TargetDaemon

/// Values that the tests of reservation files share.
enum Sample {
  static let directory = "/state/reservations"
  static let naa: [UInt8] = [0x60, 0x20] + [UInt8](repeating: 0x5A, count: 14)
  static let unit = unit(naa)
  static let path = "\(directory)/60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"
  static let boot = BootIdentifier("2f1c9a52-6b1e-4c57-9c0b-6a35e0b6c1aa")
  static let nextBoot = BootIdentifier("2f1c9a52-6b1e-4c57-9c0b-6a35e0b6c1ab")

  static func unit(_ naa: [UInt8], name: String = "quorum1") -> LogicalUnitIdentity {
    LogicalUnitIdentity(
      name: name, naa: naa, serial: "1", vendor: "v", product: "p", revision: "1")
  }

  static func nexus(_ number: Int) -> NexusIdentity {
    NexusIdentity(
      initiator: InitiatorPort(
        name: "iqn.2004-01.com.example:node\(number)", isid: 0x0002_3D00_0000 + UInt64(number)),
      target: TargetPort(name: "iqn.2026-11.com.example:t", portalGroupTag: 1))
  }

  static func registration(_ number: Int) -> Registration {
    Registration(nexus: nexus(number), key: 0xDEAD_0000 + UInt64(number))
  }

  /// Two registrants, the first of which holds a reservation.
  static var state: ReservationState {
    var state = ReservationState()
    state.generation = 17
    state.registrations = [registration(1), registration(2)]
    state.reservation = PersistentReservation(
      type: .writeExclusiveRegistrantsOnly, holder: nexus(1))
    return state
  }

  /// What PREEMPT AND ABORT of the first by the second makes of it.
  static var preempted: ReservationState {
    var state = state
    state.generation = 18
    state.registrations = [registration(2)]
    state.reservation = PersistentReservation(
      type: .writeExclusiveRegistrantsOnly, holder: nexus(2))
    return state
  }

  static func file(_ state: ReservationState = state) -> ReservationFile {
    ReservationFile(
      unit: RecordUnit(naa: "60205a5a5a5a5a5a5a5a5a5a5a5a5a5a", store: "quorum1"), boot: boot,
      state: state)
  }
}

/// Reservation files with a thread of their own, for as long as this lives.
final class Keeper {
  let files: ReservationFiles
  let thread: JobThread

  init(
    _ fileSystem: any StateFileSystem = KernelFileSystem(), directory: String = Sample.directory,
    boot: BootIdentifier? = Sample.boot, book: LogBook = LogBook()
  ) throws {
    thread = try JobThread(name: "reservations")
    files = ReservationFiles(
      directory: directory, bootedAs: boot, savingOn: thread, logger: book.logger,
      fileSystem: fileSystem)
  }

  deinit { _ = thread.finish(by: .current + .seconds(5)) }

  func waitForJobs() {
    let isDone = Semaphore()
    thread.perform { isDone.signal() }
    isDone.wait()
  }

  /// What the completion was told.
  func save(_ state: ReservationState, _ unit: LogicalUnitIdentity = Sample.unit) -> SystemError? {
    let told = Mutex<[SystemError?]>([])
    let isDone = Semaphore()
    files.save(state, of: unit) { error in
      told.withLock { $0.append(error) }
      isDone.signal()
    }
    isDone.wait()
    return told.withLock { $0.first ?? .interrupted }
  }
}
