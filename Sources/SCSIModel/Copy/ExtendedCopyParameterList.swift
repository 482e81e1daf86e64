internal import Bytes

/// LIST ID USAGE: what becomes of a copy's results (SPC-4 §6.4.3).
public enum ListIdentifierUsage: UInt8, Sendable, BitwiseCopyable {
  /// Kept for the commands that ask for them.
  case hold = 0
  /// Can be asked for while the copy goes on; forgotten at its end.
  case discard = 2
  /// The copy has no list identifier and cannot be asked for.
  case none = 3
}

/// The parameter list of EXTENDED COPY, in both its forms (SPC-4 §6.4.3, §6.5.3).
///
/// LID1, a header of 16 bytes:
///
/// | byte  | field                                                            |
/// |-------|------------------------------------------------------------------|
/// | 0     | LIST IDENTIFIER                                                  |
/// | 1     | bit 5 STR, bits 4–3 LIST ID USAGE, bits 2–0 PRIORITY             |
/// | 2–3   | CSCD DESCRIPTOR LIST LENGTH                                      |
/// | 8–11  | SEGMENT DESCRIPTOR LIST LENGTH                                   |
/// | 12–15 | INLINE DATA LENGTH                                               |
///
/// LID4, a header of 48 bytes:
///
/// | byte  | field                                                            |
/// |-------|------------------------------------------------------------------|
/// | 0     | PARAMETER LIST FORMAT 01h                                        |
/// | 1     | as above                                                         |
/// | 2–3   | HEADER CSCD DESCRIPTOR LIST LENGTH, 32                           |
/// | 15    | bit 1 G_SENSE, bit 0 IMMED                                       |
/// | 16    | HEADER CSCD DESCRIPTOR TYPE CODE FFh                             |
/// | 20–23 | LIST IDENTIFIER                                                  |
/// | 42–43 | CSCD DESCRIPTOR LIST LENGTH                                      |
/// | 44–45 | SEGMENT DESCRIPTOR LIST LENGTH                                   |
/// | 46–47 | INLINE DATA LENGTH                                               |
///
/// Then CSCD descriptors, segment descriptors and inline data, of which there is none here.
/// PRIORITY, STR and G_SENSE change nothing; IMMED is refused: a copy outlives neither its command
/// nor its nexus.
public struct ExtendedCopyParameterList: Sendable {
  public enum Form: Sendable {
    case lid1
    case lid4

    var headerBytes: Int { self == .lid1 ? 16 : 48 }
  }

  public let listIdentifier: UInt32
  public let usage: ListIdentifierUsage
  public let cscds: [CSCDDescriptor]
  public let segments: [CopySegment]

  public static func byteCountMax(_ form: Form) -> Int {
    form.headerBytes + CopyLimits.descriptorListBytesMax
  }

  private struct Header {
    var listIdentifier: UInt32
    var usage: ListIdentifierUsage
    var cscdBytes: Int
    var segmentBytes: Int
    var inlineBytes: Int
  }

  /// Decodes the bytes that arrived. The whole list is looked at before anything is copied.
  public init(decoding bytes: [UInt8], form: Form) throws(SenseData) {
    guard bytes.count >= form.headerBytes else { throw .parameterListLengthError }
    let header =
      switch form {
      case .lid1: try Self.header1(bytes)
      case .lid4: try Self.header4(bytes)
      }
    guard header.cscdBytes + header.segmentBytes <= CopyLimits.descriptorListBytesMax,
      form.headerBytes + header.cscdBytes + header.segmentBytes + header.inlineBytes
        <= bytes.count
    else { throw .parameterListLengthError }
    guard header.inlineBytes == 0 else { throw .inlineDataLengthExceeded }
    listIdentifier = header.listIdentifier
    usage = header.usage
    let segmentStart = form.headerBytes + header.cscdBytes
    cscds = try Self.cscds(bytes[form.headerBytes..<segmentStart])
    segments = try Self.segments(bytes[segmentStart..<segmentStart + header.segmentBytes])
  }

  private static func header1(_ bytes: [UInt8]) throws(SenseData) -> Header {
    let header = Header(
      listIdentifier: UInt32(bytes[0]), usage: try usage(bytes[1]),
      cscdBytes: integer(bytes[2..<4]), segmentBytes: integer(bytes[8..<12]),
      inlineBytes: integer(bytes[12..<16]))
    return try checked(header, identifierByte: 0)
  }

  private static func header4(_ bytes: [UInt8]) throws(SenseData) -> Header {
    guard bytes[0] == 0x01 else { throw .invalidFieldInParameterList(byte: 0, bit: 7) }
    guard integer(bytes[2..<4]) == 32 else {
      throw .invalidFieldInParameterList(byte: 2, bit: 7)
    }
    guard bytes[15] & 0x01 == 0 else { throw .invalidFieldInParameterList(byte: 15, bit: 0) }
    guard bytes[16] == 0xFF else { throw .unsupportedTargetDescriptorTypeCode }
    let header = Header(
      listIdentifier: UInt32(truncatingIfNeeded: integer(bytes[20..<24])),
      usage: try usage(bytes[1]), cscdBytes: integer(bytes[42..<44]),
      segmentBytes: integer(bytes[44..<46]), inlineBytes: integer(bytes[46..<48]))
    return try checked(header, identifierByte: 20)
  }

  private static func usage(_ flags: UInt8) throws(SenseData) -> ListIdentifierUsage {
    guard let usage = ListIdentifierUsage(rawValue: flags >> 3 & 0x03) else {
      throw .invalidFieldInParameterList(byte: 1, bit: 4)
    }
    return usage
  }

  /// A list that is not to be named must not have a name.
  private static func checked(_ header: Header, identifierByte: Int) throws(SenseData) -> Header {
    guard header.usage != .none || header.listIdentifier == 0 else {
      throw .invalidFieldInParameterList(byte: identifierByte, bit: 7)
    }
    return header
  }

  private static func cscds(_ list: ArraySlice<UInt8>) throws(SenseData) -> [CSCDDescriptor] {
    guard list.count <= CopyLimits.cscdDescriptorsMax * CSCDDescriptor.byteCount else {
      throw .tooManyTargetDescriptors
    }
    var cscds: [CSCDDescriptor] = []
    var start = list.startIndex
    while start < list.endIndex {
      let end = start + CSCDDescriptor.byteCount
      guard end <= list.endIndex else { throw .parameterListLengthError }
      cscds.append(try CSCDDescriptor(decoding: list[start..<end], at: start))
      start = end
    }
    return cscds
  }

  /// A descriptor of a form that is not served is refused for that, however long it is: the list
  /// cannot be read past it.
  private static func segments(_ list: ArraySlice<UInt8>) throws(SenseData) -> [CopySegment] {
    var segments: [CopySegment] = []
    var start = list.startIndex
    while start < list.endIndex {
      guard segments.count < CopyLimits.segmentDescriptorsMax else {
        throw .tooManySegmentDescriptors
      }
      segments.append(try CopySegment(decoding: list[start...], at: start))
      start += CopySegment.byteCount
    }
    return segments
  }

  private static func integer(_ field: ArraySlice<UInt8>) -> Int {
    field.reduce(0) { $0 << 8 | Int($1) }
  }
}
