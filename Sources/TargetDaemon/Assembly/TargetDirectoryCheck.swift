internal import ISCSITarget
internal import TargetConfig

/// What `--check` can find out about this machine beyond the file: interfaces that do not exist,
/// memory that is too little for its reactors, and stores that are one behind two names.
enum TargetDirectoryCheck {
  static func run(_ loaded: LoadedConfiguration) throws(DaemonError) {
    _ = try TargetDirectory(loaded)
    _ = try ReactorGroup.Plan.size(of: loaded)
    let overlaps = StoreMedia.overlaps(in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
  }
}
