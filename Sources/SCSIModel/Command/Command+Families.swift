// Families of commands that no trait of their rows tells.

extension Command {
  @inlinable
  public var isSynchronizeCache: Bool { self == .synchronizeCache10 || self == .synchronizeCache16 }

  @inlinable
  public var isSanitize: Bool {
    switch self {
    case .sanitizeOverwrite, .sanitizeBlockErase, .sanitizeExitFailureMode: true
    default: false
    }
  }

  /// Whether less data-out than the CDB says makes nothing of the command: the one block stands for
  /// every block of the range, or the blocks are written together or not at all.
  @inlinable
  public func needsAllData(_ cdb: CommandDescriptorBlock) -> Bool {
    switch self {
    case .writeSame10, .writeSame16, .writeSame32, .writeAtomic16: true
    case .verify10, .verify12, .verify16, .verify32: cdb.byteCheck == .compareOneBlock
    default: false
    }
  }

  /// Whether it asks for reservations, or decides on them.
  public var isReservationCommand: Bool {
    switch CommandTable.standard[self].reservation {
    case .persistentReserve, .reserve, .release: true
    default: false
    }
  }
}

extension CommandRow {
  /// Whether the command works on what is on the medium, or tells how that is mapped there.
  @inlinable
  public var touchesMedium: Bool {
    blocks != .none || !traits.isDisjoint(with: [.writesMedium, .copies])
      || command == .getLBAStatus
  }

  /// Whether the command looks at the content of the blocks it names.
  @inlinable
  public var readsBlocks: Bool { blocks != .none && !command.isSynchronizeCache }
}
