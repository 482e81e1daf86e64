internal import AdministrationModel

/// The numbers for which a store was made.
struct StoreOrigin: Equatable {
  var tid: Int
  var lun: UInt64

  init(tid: Int, lun: UInt64) {
    self.tid = tid
    self.lun = lun
  }

  init?(_ text: String) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let tid = Int(parts[0]), let lun = UInt64(parts[1]) else { return nil }
    self.init(tid: tid, lun: lun)
  }

  var text: String { "\(tid):\(lun)" }
}

/// tgt's words for how a store is kept, and ours.
///
/// | tgt                                | cache        |
/// |------------------------------------|--------------|
/// | rdwr                               | writeback    |
/// | rdwr on a device, direct, or aio   | none         |
/// | sync, or no write cache            | writethrough |
/// | sync:direct                        | directsync   |
enum StoreWords {
  struct Flags: Equatable {
    var isSynchronous = false
    var isDirect = false

    init(isSynchronous: Bool = false, isDirect: Bool = false) {
      self.isSynchronous = isSynchronous
      self.isDirect = isDirect
    }

    /// nil for words that tgt does not know.
    init?(_ text: String) {
      for word in text.split(separator: ":", omittingEmptySubsequences: false) {
        switch word {
        case "sync": isSynchronous = true
        case "direct": isDirect = true
        default: return nil
        }
      }
    }

    var text: String {
      [isSynchronous ? "sync" : nil, isDirect ? "direct" : nil].compactMap { $0 }
        .joined(separator: ":")
    }
  }

  static func cache(_ flags: Flags, type: String, isDevice: Bool) -> String {
    switch (flags.isSynchronous, flags.isDirect || type == "aio" || isDevice) {
    case (false, false): "writeback"
    case (false, true): "none"
    case (true, false): "writethrough"
    case (true, true): "directsync"
    }
  }

  /// The same with a write cache, or without.
  static func cache(_ cache: String, hasWriteCache: Bool) -> String {
    switch (cache, hasWriteCache) {
    case ("writeback", false): "writethrough"
    case ("none", false): "directsync"
    case ("writethrough", true): "writeback"
    case ("directsync", true): "none"
    default: cache
    }
  }

  static func type(_ store: StoreResource) -> String {
    switch store.kind {
    case .file, .block: "rdwr"
    case .null: "null"
    case .memory: "memory"
    }
  }

  /// A device is opened past the page cache without anybody's asking: only of files is it a flag.
  static func flags(_ store: StoreResource, type: String) -> String {
    guard store.kind == .file || store.kind == .block, type != "aio" else { return "" }
    let isDirect = store.cache == "none" || store.cache == "directsync"
    let isSynchronous = store.cache == "writethrough" || store.cache == "directsync"
    return Flags(isSynchronous: isSynchronous, isDirect: isDirect && store.kind == .file).text
  }
}
