/// A CHAP secret. It shows itself as `<redacted>` in every description, dump and reflection.
public struct Secret: Sendable, Equatable {
  /// The secret's octets, exactly as they enter the hash (RFC 1994 §4.1).
  public let bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  public init(_ text: String) { bytes = Array(text.utf8) }

  /// RFC 7143 §9.2.1: CHAP with less than 96 random bits needs IPsec below it.
  public static let recommendedByteCountMin = 12
  /// What every initiator takes: that of Windows no more than 16 bytes.
  static let advisedForm = "one line of \(recommendedByteCountMin) to 16 bytes"
  /// The longest text value an initiator can configure; open-iscsi and Windows stop before it.
  public static let byteCountMax = 255
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
