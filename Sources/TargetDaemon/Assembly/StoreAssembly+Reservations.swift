internal import Logging
internal import SCSIModel
internal import SCSITarget

extension StoreAssembly {
  /// What the logical unit starts with. A file that cannot be understood is logged, and keeps the
  /// unit from serving anybody, since nobody knows who may write to it; all others serve.
  func savedReservations(of unit: LogicalUnitIdentity) -> SavedReservations {
    do throws(ReservationFileError) {
      let state = try files.reservations.load(of: unit)
      files.observedReservations.begin(unit, with: state)
      return .intact(state)
    } catch {
      logger.critical(
        "the store's reservations cannot be restored, so it stays offline: \(error)",
        metadata: ["store": "\(unit.name)", "file": "\(error.path)"])
      return .damaged
    }
  }
}
