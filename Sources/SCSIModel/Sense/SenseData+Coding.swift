internal import Bytes

/// The two forms of sense data (SPC-4 §4.5.2, §4.5.3). D_SENSE of the control mode page picks one
/// for CHECK CONDITION, DESC for REQUEST SENSE.
public enum SenseFormat: UInt8, Sendable, BitwiseCopyable {
  case fixed = 0x70
  case descriptor = 0x72
}

/// Sense data as it is sent: at most 28 bytes, kept without allocation.
public struct EncodedSenseData: Sendable, BitwiseCopyable {
  /// `count` bytes matter, the rest are zero.
  public fileprivate(set) var storage = InlineArray<32, UInt8>(repeating: 0)
  public fileprivate(set) var count = 0

  public var bytes: [UInt8] { (0..<count).map { storage[$0] } }
}

extension SenseData {
  public func encoded(_ format: SenseFormat) -> EncodedSenseData {
    switch format {
    case .fixed: fixedFormat()
    case .descriptor: descriptorFormat()
    }
  }

  /// Fixed format, 18 bytes, current error (SPC-4 §4.5.3, table 46).
  ///
  /// | byte  | field                                                              |
  /// |-------|--------------------------------------------------------------------|
  /// | 0     | bit 7 VALID, bits 6–0 RESPONSE CODE 70h                            |
  /// | 2     | bits 3–0 SENSE KEY                                                 |
  /// | 3–6   | INFORMATION, if it fits: VALID is 0 and the field too otherwise     |
  /// | 7     | ADDITIONAL SENSE LENGTH, 10                                        |
  /// | 8–11  | COMMAND-SPECIFIC INFORMATION                                       |
  /// | 12–13 | ADDITIONAL SENSE CODE and its QUALIFIER                            |
  /// | 15–17 | bit 7 SKSV, SENSE KEY SPECIFIC                                     |
  private func fixedFormat() -> EncodedSenseData {
    var encoded = EncodedSenseData()
    encoded.storage[0] = SenseFormat.fixed.rawValue
    if let information, let short = UInt32(exactly: information) {
      encoded.storage[0] |= 0x80
      encoded.storage.setBigEndian(short, at: 3)
    }
    encoded.storage[2] = key.rawValue
    encoded.storage[7] = 10
    encoded.storage.setBigEndian(commandSpecificInformation ?? 0, at: 8)
    encoded.storage[12] = additionalSenseCode
    encoded.storage[13] = additionalSenseCodeQualifier
    putKeySpecific(into: &encoded, at: 15)
    encoded.count = 18
    return encoded
  }

  /// Descriptor format, current error (SPC-4 §4.5.2, table 28).
  ///
  /// | byte | field                                                        |
  /// |------|--------------------------------------------------------------|
  /// | 0    | RESPONSE CODE 72h                                            |
  /// | 1    | bits 3–0 SENSE KEY                                           |
  /// | 2–3  | ADDITIONAL SENSE CODE and its QUALIFIER                      |
  /// | 7    | ADDITIONAL SENSE LENGTH                                      |
  /// | 8…   | information descriptor 00h: 12 bytes, bit 7 of its byte 2 VALID |
  /// | …    | command specific descriptor 01h: 12 bytes, the field at 4–11  |
  /// | …    | sense key specific descriptor 02h: 8 bytes, the field at 4–6 |
  private func descriptorFormat() -> EncodedSenseData {
    var encoded = EncodedSenseData()
    encoded.storage[0] = SenseFormat.descriptor.rawValue
    encoded.storage[1] = key.rawValue
    encoded.storage[2] = additionalSenseCode
    encoded.storage[3] = additionalSenseCodeQualifier
    encoded.count = 8
    if let information {
      encoded.storage[encoded.count + 1] = 10
      encoded.storage[encoded.count + 2] = 0x80
      encoded.storage.setBigEndian(information, at: encoded.count + 4)
      encoded.count += 12
    } else if let commandSpecificInformation {
      encoded.storage[encoded.count] = 0x01
      encoded.storage[encoded.count + 1] = 10
      encoded.storage.setBigEndian(UInt64(commandSpecificInformation), at: encoded.count + 4)
      encoded.count += 12
    }
    if keySpecific != .none {
      encoded.storage[encoded.count] = 0x02
      encoded.storage[encoded.count + 1] = 6
      putKeySpecific(into: &encoded, at: encoded.count + 4)
      encoded.count += 8
    }
    encoded.storage[7] = UInt8(encoded.count - 8)
    return encoded
  }

  /// The three bytes of SENSE KEY SPECIFIC (SPC-4 §4.5.2.4).
  ///
  /// | byte | field pointer                                          | progress |
  /// |------|--------------------------------------------------------|----------|
  /// | 0    | bit 7 SKSV, bit 6 C/D, bit 3 BPV, bits 2–0 BIT POINTER  | bit 7 SKSV |
  /// | 1–2  | FIELD POINTER                                          | PROGRESS INDICATION |
  ///
  /// A segment pointer: bit 7 SKSV, bit 5 SD, bit 3 BPV 0, then FIELD POINTER.
  private func putKeySpecific(into encoded: inout EncodedSenseData, at offset: Int) {
    switch keySpecific {
    case .none:
      return
    case .fieldPointer(let pointer):
      encoded.storage[offset] = 0x80 | (pointer.place == .cdb ? 0x40 : 0)
      if let bit = pointer.bit { encoded.storage[offset] |= 0x08 | bit }
      encoded.storage.setBigEndian(pointer.byte, at: offset + 1)
    case .progress(let progress):
      encoded.storage[offset] = 0x80
      encoded.storage.setBigEndian(progress, at: offset + 1)
    case .segmentPointer(let pointer):
      encoded.storage[offset] = 0x80 | (pointer.isWithinSegment ? 0x20 : 0)
      encoded.storage.setBigEndian(pointer.byte, at: offset + 1)
    }
  }
}

// MARK: - Decoding, for initiators

extension SenseData {
  /// Reads current sense data of either format. nil if it is shorter than its key and codes,
  /// deferred or of no known key; descriptors that are cut short are left out.
  public init?(decoding bytes: [UInt8]) {
    guard let code = bytes.first, let format = SenseFormat(rawValue: code & 0x7F) else {
      return nil
    }
    switch format {
    case .fixed: self.init(decodingFixed: bytes)
    case .descriptor: self.init(decodingDescriptors: bytes)
    }
  }

  private init?(decodingFixed bytes: [UInt8]) {
    guard bytes.count >= 14, let key = SenseKey(rawValue: bytes[2] & 0x0F) else { return nil }
    self.init(key, asc: bytes[12], ascq: bytes[13])
    if bytes[0] & 0x80 != 0 {
      information = bytes[3..<7].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    let specific = bytes[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    if key == .copyAborted { commandSpecificInformation = specific }
    if bytes.count >= 18 { keySpecific = Self.keySpecific(bytes[15..<18], key: key) }
  }

  private init?(decodingDescriptors bytes: [UInt8]) {
    guard bytes.count >= 8, let key = SenseKey(rawValue: bytes[1] & 0x0F) else { return nil }
    self.init(key, asc: bytes[2], ascq: bytes[3])
    var rest = bytes.dropFirst(8).prefix(Int(bytes[7]))
    while rest.count >= 2 {
      let start = rest.startIndex
      let descriptor = rest.prefix(2 + Int(rest[start + 1]))
      switch (rest[start], descriptor.count) {
      case (0x00, 12) where descriptor[start + 2] & 0x80 != 0:
        information = descriptor.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      case (0x01, 12):
        commandSpecificInformation = descriptor.suffix(4).reduce(UInt32(0)) {
          $0 << 8 | UInt32($1)
        }
      case (0x02, 8):
        keySpecific = Self.keySpecific(descriptor[start + 4..<start + 7], key: key)
      default: break
      }
      rest = rest.dropFirst(descriptor.count)
    }
  }

  private static func keySpecific(_ field: ArraySlice<UInt8>, key: SenseKey) -> SenseKeySpecific {
    let start = field.startIndex
    guard field[start] & 0x80 != 0 else { return .none }
    let value = UInt16(field[start + 1]) << 8 | UInt16(field[start + 2])
    if key == .copyAborted {
      return .segmentPointer(
        SegmentPointer(isWithinSegment: field[start] & 0x20 != 0, byte: value))
    }
    guard key == .illegalRequest else { return .progress(value) }
    return .fieldPointer(
      FieldPointer(
        place: field[start] & 0x40 != 0 ? .cdb : .parameterList, byte: value,
        bit: field[start] & 0x08 != 0 ? field[start] & 0x07 : nil))
  }
}
