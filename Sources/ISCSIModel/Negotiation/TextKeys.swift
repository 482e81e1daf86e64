/// One `key=value` of a text negotiation.
public struct TextPair: Hashable, Sendable, CustomStringConvertible {
  public let key: String
  public let value: String

  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }

  public var description: String { "\(key)=\(value)" }
}

/// What is wrong with a text segment.
public enum TextError: Error, Hashable, Sendable {
  case missingTerminator
  case missingSeparator
  case emptyKey
  case keyTooLong(byteCount: Int)
  case badCharacterInKey(UInt8)
  case valueTooLong(key: String, byteCount: Int)
  case valueIsNotUTF8(key: String)
  case duplicateKey(String)
  case tooManyPairs
  /// C=1 with nothing to continue.
  case emptyContinuation
  case tooManyPDUs
  case textTooLong
}

/// The ordered pairs of one text, parsed from or encoded to NUL-terminated `key=value` (RFC 7143
/// §6.1). No key occurs twice.
public struct TextKeys: Hashable, Sendable {
  /// RFC 7143 §6.1: a standard label has at most 63 characters.
  public static let keyBytesMax = 63
  /// As much as one login PDU can carry; no value needs more than CHAP's 1024 binary bytes in hex.
  public static let valueBytesMax = 8192
  /// Twice the keys that exist. With it the answer is at most 64 × 77 bytes however small the
  /// asked pairs are, so unknown keys cannot amplify.
  public static let pairCountMax = 64
  /// Zero bytes tolerated after the last pair: an initiator that counts its padding as data.
  public static let paddingBytesMax = 3

  public private(set) var pairs: [TextPair]

  public init(_ pairs: [TextPair] = []) { self.pairs = pairs }

  public init(parsing bytes: [UInt8]) throws(TextError) {
    pairs = []
    guard let last = bytes.last else { return }
    guard last == 0 else { throw .missingTerminator }
    var seen: Set<String> = []
    var start = 0
    while start < bytes.count {
      let rest = bytes[start...]
      if !pairs.isEmpty, rest.count <= TextKeys.paddingBytesMax, rest.allSatisfy({ $0 == 0 }) {
        return
      }
      guard let end = rest.firstIndex(of: 0) else { throw .missingTerminator }
      guard pairs.count < TextKeys.pairCountMax else { throw .tooManyPairs }
      let pair = try TextKeys.pair(bytes[start..<end])
      guard seen.insert(pair.key).inserted else { throw .duplicateKey(pair.key) }
      pairs.append(pair)
      start = end + 1
    }
  }

  private static func pair(_ bytes: ArraySlice<UInt8>) throws(TextError) -> TextPair {
    guard let separator = bytes.firstIndex(of: UInt8(ascii: "=")) else {
      throw .missingSeparator
    }
    let keyBytes = bytes[..<separator]
    guard !keyBytes.isEmpty else { throw .emptyKey }
    guard keyBytes.count <= keyBytesMax else { throw .keyTooLong(byteCount: keyBytes.count) }
    if let bad = keyBytes.first(where: { !isKeyCharacter($0) }) { throw .badCharacterInKey(bad) }
    let key = String(decoding: keyBytes, as: UTF8.self)
    let valueBytes = bytes[(separator + 1)...]
    guard valueBytes.count <= valueBytesMax else {
      throw .valueTooLong(key: key, byteCount: valueBytes.count)
    }
    guard let value = String(validating: valueBytes, as: UTF8.self) else {
      throw .valueIsNotUTF8(key: key)
    }
    return TextPair(key, value)
  }

  /// Letters, digits, dot, minus, plus, commercial at, underscore (§6.1), and the `#` of the
  /// registered extensions such as X#NodeArchitecture.
  private static func isKeyCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "+"), UInt8(ascii: "@"), UInt8(ascii: "_"), UInt8(ascii: "#"):
      true
    default: false
    }
  }

  public var isEmpty: Bool { pairs.isEmpty }

  public subscript(key: String) -> String? { pairs.first { $0.key == key }?.value }

  public mutating func append(_ key: String, _ value: String) { pairs.append(TextPair(key, value)) }

  public mutating func append(_ more: [TextPair]) { pairs.append(contentsOf: more) }

  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for pair in pairs {
      bytes.append(contentsOf: pair.key.utf8)
      bytes.append(UInt8(ascii: "="))
      bytes.append(contentsOf: pair.value.utf8)
      bytes.append(0)
    }
    return bytes
  }

  /// The encoding cut into data segments, at least one, possibly empty; all but the last are sent
  /// with C=1 (§6.2: a pair may start in one PDU and end in the next).
  public func chunks(maxSegmentLength: Int) -> [[UInt8]] {
    encoded.chunks(maxSegmentLength: maxSegmentLength)
  }
}

extension [UInt8] {
  /// Data segments of at most `maxSegmentLength` bytes, at least one.
  func chunks(maxSegmentLength: Int) -> [[UInt8]] {
    precondition(maxSegmentLength > 0, "a segment holds at least one byte")
    guard count > maxSegmentLength else { return [self] }
    return stride(from: 0, to: count, by: maxSegmentLength).map {
      Array(self[$0..<Swift.min($0 + maxSegmentLength, count)])
    }
  }
}
