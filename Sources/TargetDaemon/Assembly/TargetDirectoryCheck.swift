internal import BackingStore
internal import ISCSITarget
internal import TargetConfig

/// What `--check` can find out about this machine beyond the file. A start is refused for
/// interfaces that do not exist, memory that is too little for its reactors, and stores that are
/// one behind two names; media that are missing or cannot be served are warnings, since all others
/// serve without them.
enum TargetDirectoryCheck {
  /// The configuration with what else is worth saying about it. Nothing is made, locked or changed.
  static func run(
    _ loaded: LoadedConfiguration, media: MediaThreads = MediaThreads()
  ) throws(DaemonError) -> LoadedConfiguration {
    _ = try TargetDirectory(loaded)
    _ = try ReactorGroup.Plan.size(of: loaded)
    let overlaps = StoreMedia.overlaps(in: loaded)
    guard overlaps.isEmpty else { throw DaemonError(.configuration, overlaps.map(\.description)) }
    var loaded = loaded
    loaded.warnings += warnings(of: loaded, media)
    if let excess = loaded.configuration.memoryExcess() {
      loaded.warnings.append(loaded.problem(at: "stores", excess))
    }
    return loaded
  }

  private static func warnings(
    of loaded: LoadedConfiguration, _ media: MediaThreads
  ) -> [ConfigurationProblem] {
    let stores = loaded.configuration.stores.filter { $0.medium.place != nil }
    let own = OwnMedia(of: loaded, media.others())
    let findings = media.askAll(stores, at: { $0.medium.place ?? "" }) { finding(of: $0, own) }
    return zip(stores, findings).compactMap { store, finding in
      let words: String? =
        switch finding {
        case .served?: nil
        case .new?:
          "there is no such file yet: the first start makes it, empty; of a store that was served "
            + "before, the LUNs answer NOT READY until it is back"
        case .unusable(let reason)?: "\(reason); until then its LUNs answer NOT READY"
        case nil: "\(store.unanswered); until then its LUNs answer NOT READY"
        }
      return words.map { loaded.problem(at: store.mediumPath, "store \(store.name): \($0)") }
    }
  }

  /// What a start would find where a store should be.
  private enum Finding: Sendable {
    case served
    /// A file would be made.
    case new
    case unusable(String)
  }

  private static func finding(of store: TargetConfiguration.Store, _ own: OwnMedia) -> Finding {
    guard let path = store.medium.path else { return .served }
    let kind: StoreKind = if case .block = store.medium { .blockDevice } else { .file }
    do throws(StoreError) {
      var options = StoreAssembly.options(store, path, kind, startsLatched: false)
      options.createsFile = true
      options.discards = false
      try own.refuse(path)
      return try DescriptorStore.tryOpening(options) == nil ? .new : .served
    } catch {
      // The daemon that serves it, as a rule.
      if error.reason == .inUse, StoreMedia.lockOwner(of: path) != nil { return .served }
      return .unusable("\(error)")
    }
  }
}
