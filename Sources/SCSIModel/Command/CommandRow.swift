/// The direction of a command's data, seen from the initiator.
public enum DataDirection: UInt8, Sendable, BitwiseCopyable {
  case none
  case dataIn
  case dataOut
}

/// How a command fares under the reservation of another nexus (SPC-4 §5.13.1 tables 66 and 67,
/// SBC-3 §4.17 table 10, SPC-2 §5.5 table 10). `ReservationGate` asks with the resolved rule.
public enum ReservationRule: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Allowed under every persistent reservation, but not while another nexus holds the unit by
  /// RESERVE.
  case always
  /// Reads the medium or parameters: allowed under write exclusive types, conflicts with exclusive
  /// access unless the type admits registrants and the nexus is one.
  case read
  /// Changes or commits something: conflicts unless the type admits registrants and the nexus is
  /// one.
  case write
  /// PREVENT ALLOW MEDIUM REMOVAL: `alwaysEvenReserved` with PREVENT 0, else `write`.
  case alwaysIfAllowingRemoval
  /// START STOP UNIT: `always` with START 1 and POWER CONDITION 0, else `write`.
  case alwaysIfStarting
  /// Allowed whatever is reserved, by RESERVE too: what names and describes the unit.
  case alwaysEvenReserved
  /// PERSISTENT RESERVE IN and OUT: allowed under every persistent reservation (what a service
  /// action needs beyond that is its own affair), and not while any nexus, even the same, holds the
  /// unit by RESERVE.
  case persistentReserve
  /// RESERVE: see `ReservationState.legacyOutcome(for:)`.
  case reserve
  /// RELEASE: as RESERVE, but harmless while another nexus holds the unit by RESERVE.
  case release

  /// The rule with the CDB's part of it settled: neither of the two that depend on it.
  @inlinable
  public func resolved(for cdb: CommandDescriptorBlock) -> ReservationRule {
    switch self {
    case .alwaysIfAllowingRemoval: cdb.isPreventRemoval ? .write : .alwaysEvenReserved
    case .alwaysIfStarting: cdb.isStart && cdb.powerCondition == 0 ? .always : .write
    default: self
    }
  }
}

/// What else admission must know of a command.
public struct CommandTraits: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Runs, and reports no unit attention, while one is pending (SAM-5 §5.14).
  @inlinable
  public static var ignoresUnitAttention: CommandTraits { CommandTraits(rawValue: 1 << 0) }

  /// Runs while the unit is not ready: it touches neither medium nor capacity. TEST UNIT READY is
  /// not among them: the refusal is its answer.
  @inlinable
  public static var allowedWhenNotReady: CommandTraits { CommandTraits(rawValue: 1 << 1) }

  /// Changes the medium: DATA PROTECT, WRITE PROTECTED on a read-only unit (SBC-3 §4.14).
  @inlinable
  public static var writesMedium: CommandTraits { CommandTraits(rawValue: 1 << 2) }

  /// Runs although the initiator named a LUN that is not there (SPC-4 §6.6.1, §6.33, §6.39).
  @inlinable
  public static var allowedWithoutLogicalUnit: CommandTraits { CommandTraits(rawValue: 1 << 3) }

  /// Changes what is not on the medium for other initiators, or what they may do: parameters,
  /// reservations, whether the unit runs. ACCESS DENIED for one that may only read;
  /// `CommandRow.affectsOthers(_:)` knows the CDBs that do no harm.
  @inlinable
  public static var affectsOthers: CommandTraits { CommandTraits(rawValue: 1 << 4) }

  /// Excludes other changes of its blocks while it works, by a range lock.
  @inlinable
  public static var claimsRange: CommandTraits { CommandTraits(rawValue: 1 << 5) }

  /// Moves data by tasks of their own, reads and writes of the units it names.
  @inlinable
  public static var copies: CommandTraits { CommandTraits(rawValue: 1 << 6) }

  /// Starts, stops, ejects or keeps the medium.
  @inlinable
  public static var movesMedium: CommandTraits { CommandTraits(rawValue: 1 << 7) }
}

/// One row of the command table: all that is known of a command before it runs.
public struct CommandRow: Sendable {
  public let command: Command
  /// The command's name as its standard spells it.
  public let name: StaticString
  public let opcode: UInt8
  /// nil if the opcode has no service actions.
  public let serviceAction: UInt16?
  /// Bytes of the CDB.
  public let length: Int
  /// The CDB usage data of SPC-4 §6.35.3, first byte in the highest bits: 1 where the unit looks at
  /// the bit. Opcode and service action count as looked at.
  public let usage: InlineArray<4, UInt64>
  public let direction: DataDirection
  public let blocks: BlockFields
  public let parameterLength: ParameterLengthField
  public let reservation: ReservationRule
  public let traits: CommandTraits

  /// `mask`: the bytes after the opcode, which must be as many as the opcode's CDB has.
  init(
    _ command: Command, _ name: StaticString, _ opcode: UInt8, action: UInt16? = nil,
    mask: [UInt8], _ direction: DataDirection, blocks: BlockFields = .none,
    length parameterLength: ParameterLengthField = .none, _ reservation: ReservationRule,
    _ traits: CommandTraits = []
  ) {
    var bytes = [0xFF] + mask
    if action != nil {
      if opcode == CommandDescriptorBlock.variableLengthOpcode {
        bytes[8] = 0xFF
        bytes[9] = 0xFF
      } else {
        bytes[1] |= 0x1F
      }
    }
    self.command = command
    self.name = name
    self.opcode = opcode
    self.serviceAction = action
    self.length = bytes.count
    self.usage = Self.words(bytes)
    self.direction = direction
    self.blocks = blocks
    self.parameterLength = parameterLength
    self.reservation = reservation
    self.traits = traits
  }

  private static func words(_ bytes: [UInt8]) -> InlineArray<4, UInt64> {
    var words = InlineArray<4, UInt64>(repeating: 0)
    for (index, byte) in bytes.enumerated() {
      words[index / 8] |= UInt64(byte) << UInt64(56 - index % 8 * 8)
    }
    return words
  }

  /// Whether this very CDB affects other initiators. Starting a unit that is stopped only serves
  /// them, there is no power condition to change, and who lets the medium go takes back what is his
  /// own.
  @inlinable
  public func affectsOthers(_ cdb: CommandDescriptorBlock) -> Bool {
    guard traits.contains(.affectsOthers) else { return false }
    switch command {
    case .startStopUnit: return cdb.powerCondition == 0 && (!cdb.isStart || cdb.isLoadEject)
    case .preventAllowMediumRemoval: return cdb.isPreventRemoval
    default: return true
    }
  }

  /// The direction of this very CDB: a VERIFY that compares nothing, a WRITE SAME with NDOB
  /// and a FORMAT UNIT without FMTDATA have no Data-Out, whatever their rows say.
  @inlinable
  public func direction(for cdb: CommandDescriptorBlock) -> DataDirection {
    switch command {
    case .verify10, .verify12, .verify16, .verify32:
      cdb.byteCheck == .mediumOnly ? .none : .dataOut
    case .writeSame16, .writeSame32: cdb.isNoDataOutBuffer ? .none : .dataOut
    case .formatUnit: cdb.isFormatData ? .dataOut : .none
    default: direction
    }
  }

  /// The blocks of data that the command moves: not the range for WRITE SAME and VERIFY with BYTCHK
  /// 11b, which move one block. nil if the CDB does not count in blocks.
  @inlinable
  public func transferBlocks(for cdb: CommandDescriptorBlock) -> BlockCount? {
    guard let range = cdb.blockRange(blocks) else { return nil }
    switch command {
    case .synchronizeCache10, .synchronizeCache16, .preFetch10, .preFetch16:
      return BlockCount(0)
    case .writeSame10: return BlockCount(1)
    case .writeSame16, .writeSame32: return BlockCount(cdb.isNoDataOutBuffer ? 0 : 1)
    // What to compare with, then what to write.
    case .compareAndWrite: return BlockCount(2 * range.count.rawValue)
    case .verify10, .verify12, .verify16, .verify32:
      switch cdb.byteCheck {
      case .mediumOnly, .reserved: return BlockCount(0)
      case .compare: return range.count
      case .compareOneBlock: return BlockCount(range.count.isZero ? 0 : 1)
      }
    default: return range.count
    }
  }
}

extension CommandRow {
  /// The most parameter data that the command may return; READ CAPACITY(10) has no field for it.
  public func allocationLength(of cdb: CommandDescriptorBlock) -> Int {
    parameterLength == .none ? .max : cdb.parameterLengthBytes(parameterLength)
  }

  /// Beyond it there is nothing to ask memory for.
  public var parameterListBytesMax: Int {
    parameterLength == .bytes5To8 ? PersistentReserveOut.parameterListBytesMax : .max
  }
}
