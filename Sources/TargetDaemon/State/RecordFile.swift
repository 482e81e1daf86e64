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

  var unit: RecordUnit { get }
  /// The lines of the kind, each with its line feed.
  var body: String { get }
  /// Whether it is one that may be believed.
  var isValid: Bool { get }

  /// Of the lines of the kind, all of which the reader must give. Lenient about spelling, since
  /// whatever is not spelled as `body` does it is refused later.
  init?(_ unit: RecordUnit, _ lines: inout LineReader)
}

/// Whom a record is about.
struct RecordUnit: Equatable, Sendable {
  /// The NAA identifier in hexadecimal digits, which is the name of the file too: a store under
  /// another name but with its former `naa` finds what is on record, and so does one that returns
  /// to the configuration.
  let naa: String
  /// The name of the store, as much of it as people read.
  let store: String

  init(_ unit: LogicalUnitIdentity) {
    naa = Hexadecimal.text(unit.naa)
    store = String(String.UnicodeScalarView(unit.name.unicodeScalars.prefix(200)))
  }

  init(naa: String, store: String) {
    self.naa = naa
    self.store = store
  }
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
      unit \(unit.naa)
      store \(StateName.word(unit.store))

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
      GeneratedIdentity(hexadecimal: file.unit.naa[...])?.hexadecimal == file.unit.naa,
      file.isValid, file.content == content
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
      let naa = reader.line(after: "unit"),
      let store = reader.line(after: "store").flatMap({ StateName.name(ofWord: $0) })
    else { return nil }
    self.init(RecordUnit(naa: naa, store: store), &reader)
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
