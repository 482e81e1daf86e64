/// What else is configured of a logical unit, or was saved of it; a plain disk without a past by
/// default.
public struct LogicalUnitOptions: Sendable {
  /// MEDIUM ROTATION RATE (VPD B1h): 1 non-rotating, else rotations per minute; nil: as the store says.
  public var mediumRotationRate: UInt16?
  /// The used share of the capacity, in percent, from which on initiators are warned; 1…99.
  public var thinThresholdPercent: UInt8?
  public var access = AsymmetricAccess()
  /// What a MODE SELECT and a SET IDENTIFYING INFORMATION of an earlier process saved.
  public var saved = SavedParameters()
  /// Nil: nothing can be saved.
  public var persistence: (any UnitPersistence<SavedParameters>)?
  /// Whether an earlier FORMAT UNIT or SANITIZE has not succeeded.
  public var wipe = SavedWipe.none
  /// Takes a mark, or with nil takes it away. Without it, a FORMAT UNIT or SANITIZE that the end of the
  /// process interrupts is forgotten.
  public var wipePersistence: (any UnitPersistence<WipeMark?>)?

  public init() {}
}
