import ISCSIModel
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func error(_ text: [UInt8]) -> TextError? {
  do throws(TextError) {
    _ = try TextKeys(parsing: text)
    return nil
  } catch { return error }
}

@Suite("Text segments")
struct TextKeysTests {
  @Test("Pairs keep their order; a value may hold '=' and be empty")
  func order() throws {
    let keys = try TextKeys(parsing: bytes("b=1\0a=x=y\0X-c=\0"))
    #expect(keys.pairs == [TextPair("b", "1"), TextPair("a", "x=y"), TextPair("X-c", "")])
    #expect(keys.encoded == bytes("b=1\0a=x=y\0X-c=\0"))
    #expect(try TextKeys(parsing: []).isEmpty)
  }

  @Test(
    "T-TXT-6: what is not a list of pairs is named",
    arguments: [
      ("a=b", TextError.missingTerminator), ("a\0", .missingSeparator), ("\0", .missingSeparator),
      ("a=b\0\0c=d\0", .missingSeparator), ("=b\0", .emptyKey), ("a=1\0a=2\0", .duplicateKey("a")),
      ("a b=1\0", .badCharacterInKey(0x20)), ("a;b=1\0", .badCharacterInKey(0x3B)),
      ("a\u{1B}=1\0", .badCharacterInKey(0x1B)), ("a=b\0\0\0\0\0", .missingSeparator),
    ])
  func malformed(text: String, expected: TextError) {
    #expect(error(bytes(text)) == expected)
  }

  @Test("Up to three zero bytes of counted padding are forgiven")
  func padding() throws {
    for count in 0...3 {
      let text = bytes("a=b\0") + [UInt8](repeating: 0, count: count)
      #expect(try TextKeys(parsing: text).pairs == [TextPair("a", "b")])
    }
  }

  @Test("T-TXT-1, T-TXT-6: keys to 63 bytes, values to 8192, 64 pairs, UTF-8 only")
  func bounds() throws {
    let key = String(repeating: "k", count: 63)
    #expect(try TextKeys(parsing: bytes("\(key)=1\0"))[key] == "1")
    #expect(error(bytes("\(key)k=1\0")) == .keyTooLong(byteCount: 64))
    let value = String(repeating: "v", count: 8192)
    #expect(try TextKeys(parsing: bytes("a=\(value)\0"))["a"] == value)
    #expect(error(bytes("a=\(value)v\0")) == .valueTooLong(key: "a", byteCount: 8193))
    #expect(error([0x61, 0x3D, 0xC3, 0x28, 0]) == .valueIsNotUTF8(key: "a"))
    let pairs = (0..<65).map { "k\($0)=\0" }
    #expect(try TextKeys(parsing: bytes(pairs.dropLast().joined())).pairs.count == 64)
    #expect(error(bytes(pairs.joined())) == .tooManyPairs)
  }

  @Test("Chunks are full but for the last and join to the whole")
  func chunks() {
    let keys = TextKeys([TextPair("abc", "defgh"), TextPair("i", "j")])
    let whole = keys.encoded
    for size in 1...whole.count + 1 {
      let chunks = keys.chunks(maxSegmentLength: size)
      #expect(Array(chunks.joined()) == whole)
      #expect(chunks.dropLast().allSatisfy { $0.count == size })
    }
    #expect(TextKeys().chunks(maxSegmentLength: 512) == [[]])
  }

  @Test(
    "T-TXT-6: numbers are decimal without leading zeros, or hexadecimal",
    arguments: [
      ("0", 0), ("8192", 8192), ("0x2000", 8192), ("0X1f", 31), ("0x0007", 7),
      ("18446744073709551615", UInt64.max), ("0xffffffffffffffff", UInt64.max),
      ("18446744073709551616", nil), ("0x10000000000000000", nil), ("", nil), ("-1", nil),
      ("+1", nil), ("0x", nil), ("1e9", nil), ("007", nil), ("00", nil), (" 1", nil),
      ("1 ", nil), ("0xg", nil), ("٣", nil), ("x10", nil),
    ] as [(String, UInt64?)])
  func numbers(text: String, expected: UInt64?) {
    #expect(TextValue.number(text) == expected)
  }

  @Test(
    "Binary values: even hexadecimal digits or canonical base64, within the bound",
    arguments: [
      ("0x00ff", [0x00, 0xFF]), ("0XaB", [0xAB]), ("0bAP8=", [0x00, 0xFF]),
      ("0BAQIDBA==", [1, 2, 3, 4]), ("0bAQID", [1, 2, 3]), ("0x", nil), ("0b", nil), ("0xabc", nil),
      ("0bAP8", nil), ("0bAP9=", nil), ("0bA===", nil), ("0b====", nil), ("0bAP8=AP8=", nil),
      ("0bA-8=", nil), ("00ff", nil), ("", nil), ("0x0102030405", nil), ("0bAQIDBAU=", nil),
    ] as [(String, [UInt8]?)])
  func binaries(text: String, expected: [UInt8]?) {
    #expect(TextValue.binary(text, bytesMax: 4) == expected)
  }

  @Test("T-TXT-6: a list of 10,000 values is no list")
  func lists() {
    #expect(TextValue.list("CRC32C,None") == ["CRC32C", "None"])
    #expect(TextValue.list("a,,b") == nil)
    #expect(TextValue.list("") == nil)
    #expect(TextValue.list(Array(repeating: "a", count: 64).joined(separator: ","))?.count == 64)
    #expect(TextValue.list(Array(repeating: "a", count: 10_000).joined(separator: ",")) == nil)
  }
}
