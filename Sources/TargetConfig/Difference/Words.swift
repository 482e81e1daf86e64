/// Values as a difference shows them. None of them is a secret.
enum Words {
  static func listener(_ listener: TargetConfiguration.AdminListener?) -> String {
    guard let listener else { return "none" }
    return "\(listener.endpoint) with \(listener.certificate.quoted), \(listener.key.quoted), "
      + listener.tokens.quoted
  }

  static func size(_ bytes: UInt64?) -> String {
    bytes.map { ByteSize.description($0) } ?? "the medium's own"
  }

  static func length(_ bytes: Int) -> String {
    ByteSize.description(UInt64(clamping: bytes))
  }

  static func blockSize(_ bytes: Int?) -> String { bytes.map { "\($0)" } ?? "the device's own" }

  /// What initiators are told; without a word of its own that follows the block size.
  static func physicalBlockSize(_ store: TargetConfiguration.Store) -> String {
    if let size = store.physicalBlockSize { return "\(size)" }
    return store.blockSize.map { "\(max($0, 4096))" } ?? "the device's own"
  }

  static func reactors(_ count: Int?) -> String { count.map { "\($0)" } ?? "one for each CPU" }

  static func memory(_ bytes: UInt64?) -> String {
    bytes.map { ByteSize.description($0) } ?? "a quarter of the memory, at most 1GiB"
  }

  static func medium(_ medium: TargetConfiguration.Medium) -> String {
    medium.path.map { "\(medium.keyword) \($0)" } ?? medium.keyword
  }

  static func store(_ store: TargetConfiguration.Store) -> String {
    let parts = [
      medium(store.medium), store.sizeBytes.map { ByteSize.description($0) },
      "cache \(store.cache.rawValue)", store.readOnly ? "read-only" : nil,
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  static func portal(_ portal: TargetConfiguration.Portal) -> String {
    "group \(portal.group)" + (portal.advertise.map { ", announced as \($0)" } ?? "")
  }

  static func portalGroups(_ groups: [UInt16]?) -> String {
    groups.map { Set($0).sorted().map { "\($0)" }.joined(separator: ", ") } ?? "all"
  }

  static func groupAccess(_ target: TargetConfiguration.Target) -> String {
    let groups = target.groupAccess.sorted { $0.group < $1.group }.map {
      "\($0.group) \($0.state.rawValue)" + ($0.isPreferred ? " (preferred)" : "")
    }
    return groups.isEmpty ? "active/optimized" : groups.joined(separator: ", ")
  }

  static func threshold(_ percent: Int?) -> String { percent.map { "\($0)%" } ?? "none" }

  static func rotationRate(_ rate: UInt16?) -> String {
    rate.map { "\($0)" } ?? "the medium's own"
  }

  static func openness(_ target: TargetConfiguration.Target) -> String {
    target.isOpenToAny ? "any" : "only those in acl"
  }

  static func lun(_ lun: TargetConfiguration.LUN) -> String {
    "store \(lun.store)" + (lun.readOnly ? ", read-only" : "")
  }

  private static func luns(_ luns: [TargetConfiguration.LUN]) -> String {
    guard !luns.isEmpty else { return "no LUNs" }
    let shown = luns.sorted { $0.number < $1.number }.prefix(8).map {
      "\($0.number)=\($0.store)" + ($0.readOnly ? " (read-only)" : "")
    }
    let rest = luns.count > 8 ? " and \(luns.count - 8) more" : ""
    return "LUNs " + shown.joined(separator: " ") + rest
  }

  static func luns(of entry: TargetConfiguration.AccessEntry) -> String {
    entry.luns.map { luns($0) } ?? "the target's LUNs"
  }

  private static func users(_ credentials: [TargetConfiguration.Credential]) -> String? {
    guard !credentials.isEmpty else { return nil }
    let shown = credentials.prefix(8).map(\.user.quoted).joined(separator: ", ")
    let rest = credentials.count > 8 ? " and \(credentials.count - 8) more" : ""
    return "CHAP \(credentials.count == 1 ? "user" : "users") \(shown)\(rest)"
  }

  static func entry(_ entry: TargetConfiguration.AccessEntry) -> String {
    let parts = [luns(of: entry), users(entry.chap), entry.readOnly ? "read-only" : nil]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  static func target(_ target: TargetConfiguration.Target) -> String {
    let count = target.acl.count
    let parts = [
      luns(target.luns), users(target.chap),
      count > 0 ? "\(count) \(count == 1 ? "entry" : "entries")" : nil,
      target.isOpenToAny ? "any initiator" : nil,
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }
}
