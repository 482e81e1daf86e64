internal import SCSITarget

/// What a file about one logical unit says. All kinds have the same form, which is text for cat(1):
///
///     swift-tgtd KIND VERSION
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     store quorum1
///     …
///     checksum 1b2c3d4e
///
/// | line     | what it says                                                                   |
/// |----------|--------------------------------------------------------------------------------|
/// | first    | what the file is, and the version of its format                                |
/// | unit     | NAA identifier of the logical unit, which the name of the file repeats         |
/// | store    | name of the store when it was saved: for people, and no part of the check      |
/// | …        | the lines of the kind                                                          |
/// | checksum | of everything above this line: CRC32C, or `sha256` where a fence hangs on it   |
///
/// A line ends with a line feed, words are separated by one space, names are `StateName.word`s.
/// There is one way to write a record and no other is read: what was read is written once more and
/// must be the same bytes.
protocol RecordFile: Equatable, Sendable {
  /// One word.
  static var kind: String { get }
  static var version: UInt32 { get }
  static var checksum: ChecksummedText.Checksum { get }
  /// More bytes than this are no file of this kind.
  static var bytesMax: Int { get }

  /// Hexadecimal digits.
  var unit: String { get }
  var store: String { get }
  /// The lines of the kind, each with its line feed.
  var body: String { get }
  /// Whether it is one that may be believed.
  var isValid: Bool { get }

  /// Of the lines of the kind, all of which the reader must give. Lenient about spelling, since
  /// whatever is not spelled as `body` does it is refused later.
  init?(unit: String, store: String, _ lines: inout LineReader)
}

/// Why bytes are no file of a kind.
enum RecordDamage: Error, Equatable {
  case notWhatWasWritten
  /// By another version of this program, which knows what it means.
  case otherVersion(UInt32)
}

extension RecordFile {
  static var version: UInt32 { 1 }
  static var checksum: ChecksummedText.Checksum { .crc32c }
  static var bytesMax: Int { 4096 }
  private static var header: String { "swift-tgtd \(kind) " }

  /// The bytes of the file. A record that is not valid gives bytes that `init(content:)` refuses.
  var content: [UInt8] {
    let head = """
      \(Self.header)\(Self.version)
      unit \(unit)
      store \(StateName.word(store))

      """
    return ChecksummedText(head + body).content(Self.checksum)
  }

  /// Total: any bytes are either what `content` gives for a valid record, or refused.
  init(content: [UInt8]) throws(RecordDamage) {
    if let version = Self.version(in: content.prefix { $0 != UInt8(ascii: "\n") }),
      version != Self.version
    {
      throw .otherVersion(version)
    }
    guard content.count <= Self.bytesMax,
      let text = ChecksummedText(content: content, Self.checksum),
      let file = Self(text.lines),
      GeneratedIdentity(hexadecimal: file.unit[...])?.hexadecimal == file.unit, file.isValid,
      file.content == content
    else { throw .notWhatWasWritten }
    self = file
  }

  private static func version(in line: ArraySlice<UInt8>) -> UInt32? {
    guard line.starts(with: header.utf8) else { return nil }
    return UInt32(String(decoding: line.dropFirst(header.utf8.count), as: UTF8.self))
  }

  /// Of the lines above the checksum.
  private init?(_ lines: [Substring]) {
    var reader = LineReader(lines)
    guard reader.line(after: String(Self.header.dropLast())) != nil,
      let unit = reader.line(after: "unit"),
      let store = reader.line(after: "store").flatMap({ StateName.name(ofWord: $0) })
    else { return nil }
    self.init(unit: unit, store: store, &reader)
  }

  /// The name of the file of a unit, and its word for it: a store under another name but with its
  /// former `naa` finds what is on record, and so does one that returns to the configuration.
  static func name(of unit: LogicalUnitIdentity) -> String { Hexadecimal.text(unit.naa) }

  /// The name of a unit's store, as much of it as people read.
  static func storeName(of unit: LogicalUnitIdentity) -> String {
    String(String.UnicodeScalarView(unit.name.unicodeScalars.prefix(200)))
  }
}

/// Lines that each begin with a known word.
struct LineReader {
  private(set) var rest: ArraySlice<Substring>

  init(_ lines: [Substring]) { rest = lines[...] }

  /// The next line without its first words and the space behind them; nil if it has others.
  mutating func line(after words: String) -> String? {
    guard let line = rest.popFirst(), line.hasPrefix(words + " ") else { return nil }
    return String(line.dropFirst(words.count + 1))
  }
}
