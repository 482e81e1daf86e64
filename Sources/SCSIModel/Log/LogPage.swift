internal import Bytes

/// A log page: page code and subpage code (SPC-4 §7.3).
public enum LogPage: UInt16, Sendable, CaseIterable {
  case supportedPages = 0x0000
  case supportedPagesAndSubpages = 0x00FF
  case logicalBlockProvisioning = 0x0C00
  case temperature = 0x0D00
  case backgroundScan = 0x1500
  case generalStatisticsAndPerformance = 0x1900
  case informationalExceptions = 0x2F00

  static let allSubpages: UInt8 = 0xFF

  public var code: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
  public var subpage: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
}

/// A log parameter (SPC-4 §7.3.2). All of ours are lists in binary format: they have no thresholds
/// and no defaults, so that every value of PC asks for the same.
///
/// | byte | field                                                                        |
/// |------|------------------------------------------------------------------------------|
/// | 0–1  | PARAMETER CODE                                                               |
/// | 2    | bit 7 DU, bit 5 TSD, bits 1–0 FORMAT AND LINKING 11b: binary format list       |
/// | 3    | PARAMETER LENGTH                                                             |
public struct LogParameter: Hashable, Sendable {
  public var code: UInt16
  public var value: [UInt8]

  public init(code: UInt16, value: [UInt8]) {
    precondition(value.count <= 255, "a log parameter's length has eight bits")
    self.code = code
    self.value = value
  }
}

/// A log page as LOG SENSE returns it (SPC-4 §7.3.2).
///
/// | byte | field                                                             |
/// |------|-------------------------------------------------------------------|
/// | 0    | bit 7 DS 1: not saved, bit 6 SPF, bits 5–0 PAGE CODE               |
/// | 1    | SUBPAGE CODE                                                      |
/// | 2–3  | PAGE LENGTH: bytes that follow                                    |
public struct LogPageData: Sendable {
  public let code: UInt8
  public let subpage: UInt8
  public let contents: [UInt8]

  /// The parameters with a code from `pointer` on, ascending. A pointer past the last of them is
  /// refused (SPC-4 §6.8).
  public init(
    _ page: LogPage, _ parameters: [LogParameter], from pointer: UInt16
  ) throws(SenseData) {
    let chosen = parameters.filter { $0.code >= pointer }.sorted { $0.code < $1.code }
    guard !chosen.isEmpty else { throw .invalidFieldInCDB(byte: 5, bit: 7) }
    var writer = ByteWriter()
    for parameter in chosen {
      writer.uint16(parameter.code)
      writer.uint8(0x03)
      writer.uint8(UInt8(parameter.value.count))
      writer.append(parameter.value)
    }
    self.init(code: page.code, subpage: page.subpage, contents: writer.bytes)
  }

  /// What a LOG SENSE asks for of a unit with `pages`, one of which has the `parameters`.
  public init(
    _ cdb: CommandDescriptorBlock, pages: [LogPage], parameters: (LogPage) -> [LogParameter]
  ) throws(SenseData) {
    let page = try cdb.logPage(of: pages)
    let isList = cdb.logSubpageCode == LogPage.allSubpages || page == .supportedPages
    guard isList else {
      try self.init(page, parameters(page), from: cdb.parameterPointer)
      return
    }
    // The lists have no parameters to point at.
    guard cdb.parameterPointer == 0 else { throw .invalidFieldInCDB(byte: 5, bit: 7) }
    self =
      cdb.logSubpageCode == LogPage.allSubpages
      ? .supportedSubpages(pages, of: page.code) : .supportedPages(pages)
  }

  private init(code: UInt8, subpage: UInt8, contents: [UInt8]) {
    self.code = code
    self.subpage = subpage
    self.contents = contents
  }

  /// Supported log pages, 00h (SPC-4 §7.3.21): the codes, ascending.
  public static func supportedPages(_ pages: [LogPage]) -> LogPageData {
    LogPageData(
      code: 0, subpage: 0, contents: pages.filter { $0.subpage == 0 }.map(\.code).sorted())
  }

  /// Supported log pages and subpages, 00h/FFh (SPC-4 §7.3.22), or with a `code` the supported
  /// subpages of that page (SPC-4 §7.3.23): pairs of codes, ascending.
  public static func supportedSubpages(_ pages: [LogPage], of code: UInt8 = 0) -> LogPageData {
    var pairs = pages.filter { code == 0 || $0.code == code }.map(\.rawValue)
    for page in pages where page.subpage == 0 && (code == 0 || page.code == code) {
      pairs.append(page.rawValue | UInt16(LogPage.allSubpages))
    }
    var writer = ByteWriter()
    for pair in Set(pairs).sorted() { writer.uint16(pair) }
    return LogPageData(code: code, subpage: LogPage.allSubpages, contents: writer.bytes)
  }

  public func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 4 + contents.count)
    writer.uint8(0x80 | (subpage == 0 ? 0 : 0x40) | code)
    writer.uint8(subpage)
    writer.uint16(UInt16(contents.count))
    writer.append(contents)
    return writer.bytes
  }
}

extension CommandDescriptorBlock {
  /// The one of `pages` that LOG SENSE or LOG SELECT names; for the list of its subpages, and for
  /// all of them, the page itself.
  func logPage(of pages: [LogPage]) throws(SenseData) -> LogPage {
    guard pages.contains(where: { $0.code == logPageCode }) else {
      throw .invalidFieldInCDB(byte: 2, bit: 5)
    }
    let subpage = logSubpageCode == LogPage.allSubpages ? 0 : logSubpageCode
    guard let page = pages.first(where: { $0.code == logPageCode && $0.subpage == subpage }) else {
      throw .invalidFieldInCDB(byte: 3, bit: 7)
    }
    return page
  }
}
