internal import Bytes

// Third-party copies (SPC-4 §5.17, §6.3 to §6.5, §6.20 to §6.25, §6.28, SBC-3 §5.7, §5.46).
//
// Reservations: SPC-4 table 66 has the copy commands and those that ask for their results conflict
// with every type; SBC-3 table 10 has POPULATE TOKEN behave as a READ. RECEIVE ROD TOKEN
// INFORMATION goes with it, or a token could be made and not fetched.

extension CommandTable {
  static func copyRows() -> [CommandRow] {
    [
      CommandRow(
        .extendedCopyLID1, "EXTENDED COPY(LID1)", 0x83, action: 0x00, mask: copyMask(), .dataOut,
        length: .bytes10To13, .write, .copies),
      CommandRow(
        .extendedCopyLID4, "EXTENDED COPY(LID4)", 0x83, action: 0x01, mask: copyMask(), .dataOut,
        length: .bytes10To13, .write, .copies),
      // LIST IDENTIFIER in bytes 6–9; GROUP NUMBER is accepted and changes nothing.
      CommandRow(
        .populateToken, "POPULATE TOKEN", 0x83, action: 0x10,
        mask: copyMask(identifier: 6..<10, group: 0x1F), .dataOut, length: .bytes10To13, .read),
      CommandRow(
        .writeUsingToken, "WRITE USING TOKEN", 0x83, action: 0x11,
        mask: copyMask(identifier: 6..<10, group: 0x1F), .dataOut, length: .bytes10To13, .write,
        [.writesMedium, .copies]),
      CommandRow(
        .copyOperationAbort, "COPY OPERATION ABORT", 0x83, action: 0x1C,
        mask: copyMask(identifier: 2..<6, hasLength: false), .none, .write,
        .allowedWhenNotReady),
      CommandRow(
        .receiveCopyStatusLID1, "RECEIVE COPY STATUS(LID1)", 0x84, action: 0x00,
        mask: copyMask(identifier: 2..<3), .dataIn, length: .bytes10To13, .write,
        .allowedWhenNotReady),
      CommandRow(
        .receiveCopyDataLID1, "RECEIVE COPY DATA(LID1)", 0x84, action: 0x01,
        mask: copyMask(identifier: 2..<3), .dataIn, length: .bytes10To13, .write,
        .allowedWhenNotReady),
      CommandRow(
        .receiveCopyOperatingParameters, "RECEIVE COPY OPERATING PARAMETERS", 0x84, action: 0x03,
        mask: copyMask(), .dataIn, length: .bytes10To13, .write, .allowedWhenNotReady),
      CommandRow(
        .receiveCopyFailureDetailsLID1, "RECEIVE COPY FAILURE DETAILS(LID1)", 0x84, action: 0x04,
        mask: copyMask(identifier: 2..<3), .dataIn, length: .bytes10To13, .write,
        .allowedWhenNotReady),
      CommandRow(
        .receiveCopyStatusLID4, "RECEIVE COPY STATUS(LID4)", 0x84, action: 0x05,
        mask: copyMask(identifier: 2..<6), .dataIn, length: .bytes10To13, .write,
        .allowedWhenNotReady),
      CommandRow(
        .receiveRODTokenInformation, "RECEIVE ROD TOKEN INFORMATION", 0x84, action: 0x07,
        mask: copyMask(identifier: 2..<6), .dataIn, length: .bytes10To13, .read,
        .allowedWhenNotReady),
    ]
  }

  /// SERVICE ACTION, LIST IDENTIFIER in `identifier`, length in bytes 10–13, CONTROL.
  private static func copyMask(
    identifier: Range<Int> = 0..<0, hasLength: Bool = true, group: UInt8 = 0
  ) -> [UInt8] {
    (1..<16).map { byte in
      switch byte {
      case 14: group
      case 10...13 where hasLength: 0xFF
      default: identifier.contains(byte) ? 0xFF : 0x00
      }
    }
  }

  /// A parameter list longer than any that is served, before memory is taken for it.
  @usableFromInline
  func copyListRefusal(of cdb: CommandDescriptorBlock, _ command: Command) -> SenseData? {
    let byteCountMax =
      switch command {
      case .extendedCopyLID1: ExtendedCopyParameterList.byteCountMax(.lid1)
      case .extendedCopyLID4: ExtendedCopyParameterList.byteCountMax(.lid4)
      case .populateToken: PopulateTokenParameterList.byteCountMax
      default: WriteUsingTokenParameterList.byteCountMax
      }
    return cdb.parameterLengthBytes(.bytes10To13) > byteCountMax ? .parameterListLengthError : nil
  }
}

extension CommandDescriptorBlock {
  /// LIST IDENTIFIER of a command that has it in its CDB.
  public func copyListIdentifier(_ command: Command) -> UInt32 {
    switch command {
    case .populateToken, .writeUsingToken: bytes.bigEndianUInt32(at: 6)
    case .receiveCopyStatusLID1, .receiveCopyDataLID1, .receiveCopyFailureDetailsLID1:
      UInt32(bytes[2])
    default: bytes.bigEndianUInt32(at: 2)
    }
  }
}
