internal import Reactor
internal import SCSIModel

// PERSISTENT RESERVE IN and OUT (SPC-4 §6.15, §6.16), RESERVE and RELEASE (SPC-2 §7.21 to §7.24).
// All of them are answered by the unit's home reactor.
extension DeviceServer {
  func persistentReserveIn(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    reservations.ask(task, nexus, .report)
  }

  func persistentReserveOut(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      reservations.ask(task, nexus, .change(try persistentReserveOut(task)))
    } catch {
      end(task, error)
    }
  }

  private func persistentReserveOut(_ task: SCSITask) throws(SenseData) -> PersistentReserveOut {
    try PersistentReserveOut(decoding: try parameterList(of: task), cdb: task.cdb)
  }

  func reserve(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    reservations.ask(task, nexus, .reserve)
  }

  func release(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    reservations.ask(task, nexus, .release)
  }

  /// The home reactor has answered. A task that was aborted meanwhile ends as aborted.
  func reservationAnswered(_ task: SCSITask, _ answer: ReservationAnswer) {
    if task.isAborted { return end(task, task.status) }
    switch answer {
    case .good: end(task, .good)
    case .report(let state): tell(task, report(task, state))
    case .refused(.conflict): end(task, .reservationConflict)
    case .refused(.check(let sense)): end(task, sense)
    case .busy: end(task, .busy)
    case .withdrawn: preconditionFailure("only a command that was aborted is withdrawn")
    }
  }

  /// GOOD with what PERSISTENT RESERVE IN asks for, which decides whom to fence.
  private func tell(_ task: SCSITask, _ bytes: [UInt8]) {
    let isAlone = task.nexus.map { mayAlwaysEnter(task, $0) } ?? false
    answer(task, bytes, fromReserve: isAlone)
  }

  private func report(_ task: SCSITask, _ state: ReservationState) -> [UInt8] {
    switch task.command {
    case .readKeys: return state.readKeys()
    case .readReservation: return state.readReservation()
    case .reportCapabilities: return state.reportCapabilities()
    default:
      let ports = task.nexus?.initiatorTarget.reservationPorts ?? []
      // Others are of a target that presents the unit too.
      return state.readFullStatus { port in
        ports.first { $0.port == port }?.relativeIdentifier ?? port.relativeIdentifier
      }
    }
  }
}
