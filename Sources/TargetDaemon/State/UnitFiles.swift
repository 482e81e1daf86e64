internal import AdministrationServer
internal import Logging
internal import SCSITarget

/// All that logical units keep in the state directory, and the threads that write it.
struct UnitFiles: Sendable {
  let reservations: ReservationFiles
  /// The same, telling administrators of changes.
  let observedReservations: ReservationEvents
  let parameters: ParameterFiles
  let wipes: WipeMarks

  /// A fence is decided when a reservation is saved. That has a thread of its own, so it waits for
  /// no other save than one of reservations, of any unit. It is answered when what the fenced node
  /// had executing has ended: a MODE SELECT or FORMAT UNIT that saves on the other thread, too.
  let reservationThread: JobThread
  let parameterThread: JobThread

  init(
    in state: StateDirectory, bootedAs boot: BootIdentifier?, events: EventHub = EventHub(),
    logger: Logger
  ) throws(DaemonError) {
    reservationThread = try JobThread(name: "reservations")
    parameterThread = try JobThread(name: "parameters")
    reservations = ReservationFiles(
      directory: state.reservations, bootedAs: boot, savingOn: reservationThread, logger: logger)
    observedReservations = ReservationEvents(reservations, events: events)
    parameters = ParameterFiles(
      directory: state.parameters, savingOn: parameterThread, logger: logger)
    wipes = WipeMarks(directory: state.wipes, savingOn: parameterThread, logger: logger)
    reservations.keepRoom()
    parameters.keepRoom()
    wipes.keepRoom()
  }
}
