internal import Bytes

/// IDENTIFYING INFORMATION TYPE (SPC-4 §5.7, table 40): what an application client has left with a
/// unit to know it again.
public enum IdentifyingInformationType: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case logicalUnit = 0x00
  case text = 0x02

  /// Reports the types and their limits instead of information.
  public static var supported: UInt8 { 0x7F }

  /// MAXIMUM IDENTIFYING INFORMATION LENGTH, in bytes.
  public var lengthMax: Int { self == .logicalUnit ? 64 : 256 }
}

/// The parameter data of REPORT IDENTIFYING INFORMATION (SPC-4 §6.32): bytes 2–3 the length, then
/// the information; or, for the supported types, four bytes each: bits 7–1 type, bytes 2–3 the
/// most.
public enum IdentifyingInformationData {
  public static func encoded(_ information: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reserving: 4 + information.count)
    writer.uint16(0)
    writer.uint16(UInt16(clamping: information.count))
    writer.append(information)
    return writer.bytes
  }

  public static func supportedTypes() -> [UInt8] {
    var writer = ByteWriter()
    for type in IdentifyingInformationType.allCases {
      writer.uint8(type.rawValue << 1)
      writer.uint8(0)
      writer.uint16(UInt16(type.lengthMax))
    }
    return encoded(writer.bytes)
  }

  /// nil, or why the information cannot be of this type: text is UTF-8 and ends with its one NUL.
  public static func refusal(
    of information: [UInt8], _ type: IdentifyingInformationType
  ) -> SenseData? {
    guard type == .text, let last = information.last else { return nil }
    guard last == 0 else {
      return .invalidFieldInParameterList(byte: information.count - 1, bit: 7)
    }
    let text = information.dropLast()
    if let index = text.firstIndex(of: 0) { return .invalidFieldInParameterList(byte: index) }
    guard String(validating: text, as: UTF8.self) != nil else {
      return .invalidFieldInParameterList(byte: 0, bit: 7)
    }
    return nil
  }
}

/// TIMESTAMP ORIGIN (SPC-4 §5.2, table 22).
public enum TimestampOrigin: UInt8, Sendable, BitwiseCopyable {
  /// Set by SET TIMESTAMP.
  case setTimestamp = 0b010
  /// Set by other means: the machine's clock.
  case other = 0b011
}

/// The parameters of REPORT TIMESTAMP and SET TIMESTAMP (SPC-4 §6.38, §6.46): milliseconds since
/// the start of 1970, UTC, in bytes 4–9 of 12.
public struct TimestampParameters: Hashable, Sendable {
  /// 48 bits.
  public var milliseconds: UInt64
  public var origin: TimestampOrigin

  public init(milliseconds: UInt64, origin: TimestampOrigin) {
    self.milliseconds = milliseconds
    self.origin = origin
  }

  public init(decoding bytes: [UInt8]) throws(SenseData) {
    guard bytes.count >= 12 else { throw .parameterListLengthError }
    milliseconds = bytes[4..<10].reduce(0) { $0 << 8 | UInt64($1) }
    origin = .setTimestamp
  }

  /// Byte 1 the length, 10; byte 2 the origin.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 12)
    writer.uint16(10)
    writer.uint8(origin.rawValue)
    writer.uint8(0)
    writer.uint16(UInt16(truncatingIfNeeded: milliseconds >> 32))
    writer.uint32(UInt32(truncatingIfNeeded: milliseconds))
    writer.uint16(0)
    return writer.bytes
  }
}
