public import SCSIModel

/// What else is configured of a logical unit, or was saved of it; a plain disk without a past by
/// default.
public struct LogicalUnitOptions: Sendable {
  /// Commands that each reactor accepts at a time, 1…`LogicalUnit.queueDepthMax`.
  public var queueDepth = LogicalUnit.queueDepthDefault
  /// RMB: the medium can be taken out.
  public var isRemovable = false
  /// Whether READ(32) and its like are served.
  public var servesLongCommands = false
  /// Whether initiators are told through which port groups the blocks can be reached (R_SUP).
  public var servesReferrals = false
  /// MEDIUM ROTATION RATE (VPD B1h): 1 non-rotating, else rotations per minute; nil: as the store
  /// says.
  public var mediumRotationRate: UInt16?
  /// The used share of the capacity, in percent, from which on initiators are warned; 1…99.
  public var thinThresholdPercent: UInt8?
  /// The share that has to stay available, in percent: when no more is left they are warned, too;
  /// 1…99. nil: what `thinThresholdPercent` leaves.
  public var thinAvailableThresholdPercent: UInt8?
  public var access = AsymmetricAccess()

  /// The persistent reservations that an earlier process saved.
  public var reservations = SavedReservations.intact(ReservationState())
  /// What a MODE SELECT and a SET IDENTIFYING INFORMATION of an earlier process saved.
  public var savedParameters = SavedParameters()
  /// Whether an earlier FORMAT UNIT or SANITIZE has not succeeded.
  public var wipe = SavedWipe.none

  /// nil: they last until the process ends.
  public var reservationPersistence: (any UnitPersistence<ReservationState>)?
  /// nil: nothing can be saved.
  public var parameterPersistence: (any UnitPersistence<SavedParameters>)?
  /// Takes a mark, or with nil takes it away. Without it, a FORMAT UNIT or SANITIZE that the end of
  /// the process interrupts is forgotten.
  public var wipePersistence: (any UnitPersistence<WipeMark?>)?

  public init() {}
}
