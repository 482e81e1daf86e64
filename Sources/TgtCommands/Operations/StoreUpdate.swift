internal import AdministrationModel
internal import TargetConfig

/// What `--params` of a logical unit change of its store. What has no meaning here is a remark: it
/// would be a pity if a cluster did not start for a product revision.
struct StoreUpdate {
  private(set) var remarks: [String] = []
  /// nil: as it is.
  private(set) var isOnline: Bool?
  private let store: StoreResource
  private var values: [String: JSONValue] = [:]
  private var notes: [Change] = []
  private var sizeBytes: UInt64?

  init(_ parameters: String, of store: StoreResource) throws(TgtFailure) {
    self.store = store
    for part in parameters.split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw .invalidRequest("\(part): a parameter is KEY=VALUE") }
      let value = pair[1].filter { $0 != "\"" }
      try take(Self.trimmed(pair[0]), Self.trimmed(Substring(value)))
    }
  }

  var changes: [Change] {
    var changes: [Change] = []
    if !values.isEmpty { changes.append(.setStore(Change.StoreKeys(store.name, values))) }
    if let sizeBytes {
      changes.append(.resizeStore(Change.StoreSize(store.name, sizeBytes: sizeBytes)))
    }
    return changes + notes
  }

  private mutating func take(_ key: String, _ value: String) throws(TgtFailure) {
    switch key {
    case "scsi_id":
      let identifier = Self.shortened(value, 36)
      values["naa"] = .text(TgtIdentity.naa(identifier))
      notes.append(TgtNotes.set(.scsiID, of: store.name, identifier))
    case "scsi_sn": values["serial"] = .text(Self.shortened(value, 36))
    case "vendor_id": values["vendor"] = .text(Self.shortened(value, 8))
    case "product_id": values["product"] = .text(Self.shortened(value, 16))
    case "removable":
      values["removable"] = .boolean(Self.isYes(value))
      notes.append(TgtNotes.set(.removable, of: store.name, Self.isYes(value) ? "1" : nil))
    case "readonly": values["readOnly"] = .boolean(Self.isYes(value))
    case "thin_provisioning":
      values["discard"] = .text(Self.isYes(value) ? "unmap" : "ignore")
    case "online": isOnline = Self.isYes(value)
    default: try takeLayout(key, value)
    }
  }

  private mutating func takeLayout(_ key: String, _ value: String) throws(TgtFailure) {
    switch key {
    case "path":
      guard store.kind == .file || store.kind == .block, value.hasPrefix("/") else {
        throw .invalidRequest("path: takes the absolute path of another medium of the same kind")
      }
      values[store.kind.rawValue] = .text(value)
    case "bsopts": try takeOptions(value)
    case "mode_page": takeModePage(value)
    case "lbppbe": takePhysicalBlocks(value)
    case "rotation_rate": takeRotation(value)
    case "product_rev", "la_lba", "optimal_xfer_gran", "optimal_xfer_len", "bsoflags":
      remarks.append("\(key): not kept, initiators are not told this here")
    case "sense_format":
      if Self.isYes(value) { remarks.append("sense_format: not kept, sense data is fixed here") }
    default: throw .invalidRequest("\(key): is no parameter of a disk")
    }
  }

  /// `size=BYTES`, with which Longhorn's tgt tells of a larger volume.
  private mutating func takeOptions(_ value: String) throws(TgtFailure) {
    let prefix = "size="
    guard value.hasPrefix(prefix), let bytes = UInt64(value.dropFirst(prefix.count)) else {
      throw .invalidRequest("bsopts: takes size=BYTES")
    }
    sizeBytes = bytes
  }

  private mutating func takeModePage(_ value: String) {
    guard let hasWriteCache = TgtCache.hasWriteCache(modePage: value),
      let mode = TargetConfiguration.CacheMode(rawValue: store.cache)
    else {
      remarks.append("mode_page \(value): not kept, only the caching page can be chosen")
      return
    }
    values["cache"] = .text(TgtCache.mode(mode, hasWriteCache: hasWriteCache).rawValue)
  }

  private mutating func takePhysicalBlocks(_ value: String) {
    let size = (store.blockSize ?? 512) << min(max(Int(value) ?? -1, 0), 8)
    guard let exponent = Int(value), exponent >= 0,
      [512, 4096, 8192, 16_384, 32_768, 65_536].contains(size)
    else {
      remarks.append("lbppbe \(value): not kept, not a physical block size that is possible here")
      return
    }
    values["physicalBlockSize"] = .integer(Int64(size))
  }

  private mutating func takeRotation(_ value: String) {
    switch Int64(value) {
    case 0: values["rotationRate"] = .null
    case 1: values["rotationRate"] = .text("none")
    case let rate? where (1025...65_534).contains(rate): values["rotationRate"] = .integer(rate)
    default: remarks.append("rotation_rate \(value): not kept")
    }
  }

  // MARK: Texts

  private static func isYes(_ text: String) -> Bool {
    ["yes", "on", "true"].contains(text.lowercased()) || (Int(text) ?? 0) != 0
  }

  private static func shortened(_ text: String, _ byteCount: Int) -> String {
    String(decoding: text.utf8.prefix(byteCount), as: UTF8.self)
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " }
    let end = start.lastIndex { $0 != " " }
    return end.map { String(start[...$0]) } ?? ""
  }
}
