/// A PERSISTENT RESERVE OUT command as it is asked for: CDB and parameter list, neither compared
/// yet with what is registered (SPC-4 §6.16).
public struct PersistentReserveOut: Hashable, Sendable {
  /// SERVICE ACTION (SPC-4 §6.16.2).
  public enum Action: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case register = 0
    case reserve = 1
    case release = 2
    case clear = 3
    case preempt = 4
    case preemptAndAbort = 5
    case registerAndIgnoreExistingKey = 6
    case registerAndMove = 7
    case replaceLostReservation = 8
  }

  /// One TransportID of a SPEC_I_PT list, and where it stood.
  public struct SpecifiedInitiator: Hashable, Sendable {
    public var transportID: TransportID
    /// Of its first byte in the parameter list, for sense data.
    public var offset: Int

    public init(_ transportID: TransportID, offset: Int) {
      self.transportID = transportID
      self.offset = offset
    }
  }

  /// Where REGISTER AND MOVE moves the reservation.
  public struct Destination: Hashable, Sendable {
    /// RELATIVE TARGET PORT IDENTIFIER.
    public var relativeTargetPort: UInt16
    public var initiator: InitiatorPort
    /// UNREG: the sender's registration goes.
    public var unregistersSender: Bool

    public init(
      relativeTargetPort: UInt16, initiator: InitiatorPort, unregistersSender: Bool
    ) {
      self.relativeTargetPort = relativeTargetPort
      self.initiator = initiator
      self.unregistersSender = unregistersSender
    }
  }

  public var action: Action
  /// SCOPE and TYPE as they came, bits 7–4 and 3–0: what they say matters to some actions only.
  public var scopeAndType: UInt8
  /// RESERVATION KEY: what the sender says it is registered with.
  public var reservationKey: UInt64
  /// SERVICE ACTION RESERVATION KEY: to register, or to preempt.
  public var serviceActionKey: UInt64
  /// ALL_TG_PT.
  public var appliesToAllTargetPorts = false
  /// APTPL.
  public var activatesPersistThroughPowerLoss = false
  /// SPEC_I_PT: who is registered besides the sender; nil without the bit.
  public var specifiedInitiators: [SpecifiedInitiator]?
  /// Of REGISTER AND MOVE.
  public var destination: Destination?

  public init(
    _ action: Action, type: ReservationType? = nil, reservationKey: UInt64,
    serviceActionKey: UInt64 = 0
  ) {
    self.action = action
    scopeAndType = type?.rawValue ?? 0
    self.reservationKey = reservationKey
    self.serviceActionKey = serviceActionKey
  }

  /// The type asked for, with the only scope there is, that of the logical unit (SPC-4 §6.15.3.3).
  /// Extents, elements and undefined types are INVALID FIELD IN CDB.
  public func requireType() throws(SenseData) -> ReservationType {
    guard scopeAndType >> 4 == 0 else { throw .invalidFieldInCDB(byte: 2, bit: 7) }
    guard let type = ReservationType(rawValue: scopeAndType & 0x0F) else {
      throw .invalidFieldInCDB(byte: 2, bit: 3)
    }
    return type
  }
}
