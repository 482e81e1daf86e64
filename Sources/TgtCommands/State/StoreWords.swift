internal import AdministrationModel
internal import TargetConfig

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

/// Stores in tgt's words.
enum StoreWords {
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
    return TgtCache.Flags(isSynchronous: isSynchronous, isDirect: isDirect && store.kind == .file)
      .text
  }
}
