/// tgt's words for how writes are kept, and ours.
///
/// | tgt                                | cache        |
/// |------------------------------------|--------------|
/// | rdwr                               | writeback    |
/// | rdwr on a device, direct, or aio   | none         |
/// | sync, or no write cache            | writethrough |
/// | sync:direct                        | directsync   |
public enum TgtCache {
  public typealias Mode = TargetConfiguration.CacheMode

  /// `bsoflags`.
  public struct Flags: Equatable, Sendable {
    public var isSynchronous = false
    public var isDirect = false

    public init(isSynchronous: Bool = false, isDirect: Bool = false) {
      self.isSynchronous = isSynchronous
      self.isDirect = isDirect
    }

    /// nil for words that tgt does not know.
    public init?(_ text: String) {
      for word in text.split(separator: ":", omittingEmptySubsequences: false) {
        switch word {
        case "sync": isSynchronous = true
        case "direct": isDirect = true
        default: return nil
        }
      }
    }

    public var text: String {
      [isSynchronous ? "sync" : nil, isDirect ? "direct" : nil].compactMap { $0 }
        .joined(separator: ":")
    }
  }

  public static func mode(_ flags: Flags, type: String, isDevice: Bool) -> Mode {
    switch (flags.isSynchronous, flags.isDirect || type == "aio" || isDevice) {
    case (false, false): .writeback
    case (false, true): .none
    case (true, false): .writethrough
    case (true, true): .directsync
    }
  }

  /// The same with a write cache, or without.
  public static func mode(_ mode: Mode, hasWriteCache: Bool) -> Mode {
    switch (mode, hasWriteCache) {
    case (.writeback, false): .writethrough
    case (.none, false): .directsync
    case (.writethrough, true): .writeback
    case (.directsync, true): .none
    default: mode
    }
  }

  /// What `page:subpage:length:byte:…` says: of the caching mode page (SBC-3 §6.4.5) bit 2 of its
  /// first byte, WCE. nil: it is another page, or none.
  public static func hasWriteCache(modePage text: String) -> Bool? {
    let fields = text.split(separator: ":").map { Int(numeral: String($0)) }
    guard fields.count > 3, fields[0] == 8, fields[1] == 0, let flags = fields[3] else {
      return nil
    }
    return flags & 4 != 0
  }
}

extension FixedWidthInteger {
  /// `12`, `0x1f` or `017`.
  public init?(numeral text: String) {
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? text.dropFirst() : text[...]
    guard digits.first?.isNumber ?? false else { return nil }
    let sign = isNegative ? "-" : ""
    if digits.lowercased().hasPrefix("0x") {
      self.init(sign + digits.dropFirst(2), radix: 16)
    } else if digits.hasPrefix("0"), digits.count > 1 {
      self.init(sign + digits.dropFirst(), radix: 8)
    } else {
      self.init(sign + digits, radix: 10)
    }
  }
}
