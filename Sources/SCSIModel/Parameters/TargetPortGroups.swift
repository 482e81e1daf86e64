internal import Bytes

/// ASYMMETRIC ACCESS STATE (SPC-4 §5.15.2, §6.37): how a logical unit answers through the ports of
/// a group.
public enum AsymmetricAccessState: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case activeOptimized = 0x0
  case activeNonOptimized = 0x1
  case standby = 0x2
  case unavailable = 0x3
  case transitioning = 0xF

  @inlinable
  public var isActive: Bool { rawValue <= 1 }

  /// What ends a command that the state does not admit; nil for one that may go on.
  public func refusal(of row: CommandRow) -> SenseData? {
    switch self {
    case .activeOptimized, .activeNonOptimized: nil
    case .standby: Self.standby(row) ? nil : .logicalUnitNotAccessibleInStandbyState
    case .unavailable: Self.anywhere(row) ? nil : .logicalUnitNotAccessibleInUnavailableState
    case .transitioning: Self.anywhere(row) ? nil : .logicalUnitNotAccessibleInTransition
    }
  }

  /// INQUIRY, REPORT LUNS, REQUEST SENSE, REPORT and SET TARGET PORT GROUPS; READ and WRITE BUFFER,
  /// which touch the nexus only (SPC-4 §5.15.2.5, §5.15.2.6).
  private static func anywhere(_ row: CommandRow) -> Bool {
    switch row.opcode {
    case 0x12, 0xA0, 0x03, 0x3B, 0x3C: true
    case 0xA3, 0xA4: row.serviceAction == 0x0A
    default: false
    }
  }

  /// Besides those what looks after the unit and not its blocks (SPC-4 §5.15.2.4): LOG and MODE
  /// SELECT and SENSE, the diagnostics, PERSISTENT RESERVE IN and OUT, and what reports commands.
  /// Also READ CAPACITY, which that list leaves to the device server: an initiator that scans a
  /// standby path has to learn what is behind it, or it has no disk there to fail over to.
  private static func standby(_ row: CommandRow) -> Bool {
    if anywhere(row) { return true }
    return switch row.opcode {
    case 0x15, 0x1A, 0x55, 0x5A, 0x4C, 0x4D, 0x1C, 0x1D, 0x5E, 0x5F, 0xA3, 0xA4: true
    case 0x25: true
    case 0x9E: row.command == .readCapacity16
    default: false
    }
  }
}

/// A target port group and its ports, as REPORT TARGET PORT GROUPS tells (SPC-4 §6.37).
///
/// | byte | field                                                                            |
/// |------|----------------------------------------------------------------------------------|
/// | 0    | bit 7 PREF, bits 3–0 ASYMMETRIC ACCESS STATE                                      |
/// | 1    | bit 7 T_SUP, bit 6 O_SUP 0, bit 3 U_SUP, bit 2 S_SUP, bit 1 AN_SUP, bit 0 AO_SUP    |
/// | 2–3  | TARGET PORT GROUP                                                                |
/// | 5    | STATUS CODE: 0 none, 1 altered by SET TARGET PORT GROUPS, 2 by the target itself    |
/// | 7    | TARGET PORT COUNT                                                                |
/// | 8…   | four bytes for each port, its RELATIVE TARGET PORT IDENTIFIER in the last two      |
public struct TargetPortGroup: Hashable, Sendable {
  public enum Status: UInt8, Sendable {
    case none = 0
    case explicitlyAltered = 1
    case implicitlyAltered = 2
  }
  public var tag: UInt16
  public var state: AsymmetricAccessState
  public var isPreferred: Bool
  public var status: Status
  /// At most 255.
  public var relativePorts: [UInt16]

  public init(
    tag: UInt16, state: AsymmetricAccessState, isPreferred: Bool = false, status: Status = .none,
    relativePorts: [UInt16]
  ) {
    self.tag = tag
    self.state = state
    self.isPreferred = isPreferred
    self.status = status
    self.relativePorts = relativePorts
  }

  fileprivate func put(into writer: inout ByteWriter) {
    writer.uint8((isPreferred ? 0x80 : 0) | state.rawValue)
    // Every state but offline.
    writer.uint8(0x8F)
    writer.uint16(tag)
    writer.uint8(0)
    writer.uint8(status.rawValue)
    writer.uint8(0)
    writer.uint8(UInt8(clamping: relativePorts.count))
    for port in relativePorts.prefix(255) { writer.uint32(UInt32(port)) }
  }
}

/// The parameter data of REPORT TARGET PORT GROUPS (SPC-4 §6.37).
///
/// | byte | length only header | extended header                            |
/// |------|--------------------|--------------------------------------------|
/// | 0–3  | RETURN DATA LENGTH | RETURN DATA LENGTH                         |
/// | 4    | descriptors        | bits 6–4 FORMAT TYPE 1                     |
/// | 5    |                    | IMPLICIT TRANSITION TIME 0: not specified  |
/// | 8…   |                    | descriptors                                |
public struct ReportTargetPortGroupsData: Sendable {
  public var groups: [TargetPortGroup]

  public init(groups: [TargetPortGroup]) { self.groups = groups }

  public func encoded(isExtended: Bool) -> [UInt8] {
    var descriptors = ByteWriter()
    for group in groups { group.put(into: &descriptors) }
    var writer = ByteWriter(reserving: 8 + descriptors.count)
    writer.uint32(UInt32(descriptors.count + (isExtended ? 4 : 0)))
    if isExtended {
      writer.uint8(0x10)
      writer.zeros(3)
    }
    writer.append(descriptors.bytes)
    return writer.bytes
  }
}

/// The parameter list of SET TARGET PORT GROUPS (SPC-4 §6.45): four reserved bytes, then
/// descriptors.
///
/// | byte | field                              |
/// |------|------------------------------------|
/// | 0    | bits 3–0 ASYMMETRIC ACCESS STATE    |
/// | 2–3  | TARGET PORT GROUP                  |
public struct SetTargetPortGroupsParameterList: Sendable {
  /// In the list's order; each group at most once.
  public let states: [(tag: UInt16, state: AsymmetricAccessState)]

  /// Decodes the bytes that arrived. `groups`: the tags that exist.
  public init(decoding bytes: [UInt8], groups: [UInt16]) throws(SenseData) {
    var states: [(tag: UInt16, state: AsymmetricAccessState)] = []
    guard !bytes.isEmpty else {
      self.states = states
      return
    }
    guard bytes.count >= 4, bytes.count % 4 == 0 else { throw .parameterListLengthError }
    for offset in stride(from: 4, to: bytes.count, by: 4) {
      // Transitioning and offline are no states to ask for (SPC-4 §6.45, table 312).
      guard let state = AsymmetricAccessState(rawValue: bytes[offset] & 0x0F),
        state != .transitioning
      else { throw .invalidFieldInParameterList(byte: offset, bit: 3) }
      let tag = UInt16(bytes[offset + 2]) << 8 | UInt16(bytes[offset + 3])
      guard groups.contains(tag), !states.contains(where: { $0.tag == tag }) else {
        throw .invalidFieldInParameterList(byte: offset + 2, bit: 7)
      }
      states.append((tag, state))
    }
    self.states = states
  }
}
