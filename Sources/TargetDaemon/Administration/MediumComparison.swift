internal import AdministrationModel
internal import BackingStore
internal import TargetConfig

/// What becomes of media by another configuration, by what paths lead to (device and inode) and not
/// by how stores and files are called. That what serves has gone from a path that the file still
/// has is no matter of the file: `MediumDanger` tells.
struct MediumComparison {
  private let running: TargetConfiguration
  private let file: TargetConfiguration
  /// Of stores that have a medium: what they serve from.
  private let served: [(name: String, identity: UnitName, medium: StoreIdentity)]
  /// What each path leads to; nil: nothing. Those that did not answer are not there.
  private let found: [String: StoreIdentity?]

  /// `identified`: a store with the identity that it has or will have.
  init(
    from running: TargetConfiguration, to file: TargetConfiguration,
    served: [Inventory.Served], found: [String: StoreIdentity?],
    identified: (TargetConfiguration.Store) -> TargetConfiguration.Store
  ) {
    self.running = running
    var file = file
    file.stores = file.stores.map(identified)
    self.file = file
    self.served = served.compactMap { served in
      served.opened.onDisk.map {
        (name: served.name, identity: UnitName(served), medium: $0.medium)
      }
    }
    self.found = found
  }

  /// In the order of the configuration.
  var remarks: [MediumRemark] {
    file.stores.compactMap { store -> MediumRemark? in
      guard let path = store.medium.path else { return nil }
      guard let answer = found[path] else { return remark(onSilent: store, path) }
      guard let medium = answer else { return nil }
      guard let former = served.first(where: { $0.medium == medium }) else {
        return remark(onUnserved: store, path)
      }
      return former.name == store.name
        ? remark(onMoved: store, path) : remark(onRenamed: store, path, former)
    }
  }

  /// Nobody has seen what is at its path.
  private func remark(
    onSilent store: TargetConfiguration.Store, _ path: String
  ) -> MediumRemark? {
    guard store.medium.place != nil else { return nil }
    return MediumRemark(
      "stores.\(store.name)",
      "\(path) does not answer, so whether it is what is served is not known",
      remedy: "see what the kernel says of its disk: dmesg -T | tail")
  }

  /// At its path, which is another one than before, is something else than what the store serves.
  private func remark(
    onUnserved store: TargetConfiguration.Store, _ path: String
  ) -> MediumRemark? {
    guard served.contains(where: { $0.name == store.name }),
      let formerPath = running.store(named: store.name)?.medium.path, formerPath != path
    else { return nil }
    return MediumRemark(
      "stores.\(store.name)",
      "\(path) is another medium than \(formerPath), and initiators take it for the same disk",
      remedy: "if it is no copy that takes the place of the former, give it a store of its own, "
        + "under another name")
  }

  private func remark(
    onMoved store: TargetConfiguration.Store, _ path: String
  ) -> MediumRemark? {
    guard let former = running.store(named: store.name)?.medium.path, former != path else {
      return nil
    }
    return MediumRemark(
      "stores.\(store.name)", "\(path) is what is served as \(former): the same disk, moved")
  }

  private func remark(
    onRenamed store: TargetConfiguration.Store, _ path: String,
    _ former: (name: String, identity: UnitName, medium: StoreIdentity)
  ) -> MediumRemark {
    let place = "stores.\(store.name)"
    let it = "\(path) is the medium of the store \"\(former.name)\""
    // Unless that one moves on to another medium.
    if let other = file.store(named: former.name)?.medium.path, found[other] == former.medium {
      return MediumRemark(
        place, "\(it), which stays: two stores on it would destroy each other's data",
        remedy: "take one of the two out of the file")
    }
    if store.naa?.description == former.identity.naa {
      return MediumRemark(place, "\(it) under a new name: to initiators it stays the same disk")
    }
    return MediumRemark(
      place,
      "\(it) under a new name, and without its identity: to initiators it would be another disk",
      remedy: former.identity.remedy(
        for: store.name, former: former.name, isByStoreName: true))
  }
}

extension Administration {
  /// What is at the paths of these stores. Asked of each directory on a thread that may hang with
  /// it; what hangs is left out.
  func foundMedia(of stores: [TargetConfiguration.Store]) async -> [String: StoreIdentity?] {
    let media = daemon.workshop.media
    let paths = stores.compactMap { store -> (place: String, path: String)? in
      guard let place = store.medium.place, let path = store.medium.path else { return nil }
      return (place, path)
    }
    let places = Dictionary(grouping: paths, by: \.place)
    return await withTaskGroup(of: [String: StoreIdentity?].self) { group in
      for (place, stores) in places where !media.isHeldUp(at: place) {
        let paths = stores.map(\.path)
        group.addTask {
          let found = await media.answer(at: place, within: .seconds(1)) {
            let identities = paths.map { ($0, StoreMedia.identity(of: $0)) }
            return Dictionary(identities) { one, _ in one }
          }
          return found ?? [:]
        }
      }
      return await group.reduce(into: [:]) { all, some in all.merge(some) { one, _ in one } }
    }
  }
}
