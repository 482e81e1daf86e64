internal import AdministrationModel

/// The kinds of backstores, by targetcli's names.
enum Plugin: String, CaseIterable {
  case block, fileio, ramdisk

  init(_ kind: StoreKind) {
    switch kind {
    case .block: self = .block
    case .file: self = .fileio
    case .memory, .null: self = .ramdisk
    }
  }
}

extension StoreResource {
  var plugin: Plugin { Plugin(kind) }

  /// `fileio/sdb`.
  var storageObject: String { "\(plugin.rawValue)/\(name)" }

  /// What initiators see as a volatile cache.
  var isWriteBack: Bool { cache == "writeback" || cache == "none" }

  var writeBackWords: String { isWriteBack ? "write-back" : "write-thru" }

  /// LIO's word for whether a LUN presents it; what is not online says so itself.
  var stateWords: String {
    if state != .online { return state.rawValue + (reason.map { ": \($0)" } ?? "") }
    return presentedBy.isEmpty ? "deactivated" : "activated"
  }
}
