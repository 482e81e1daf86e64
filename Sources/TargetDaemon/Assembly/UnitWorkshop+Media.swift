internal import BackingStore
internal import Logging
internal import Synchronization
internal import TargetConfig

// Which disk a medium was to initiators, where that follows from the name of its store alone.
extension UnitWorkshop {
  /// Stores that bring a medium back under another name, and so as another disk: whoever has it by
  /// its WWID, as multipath does, does not find it any more. A sentence for each.
  func renamings(
    of opened: [StoreAssembly.Opened], in configuration: TargetConfiguration
  ) -> [String] {
    // A file that is made now was no disk before.
    let former = opened.filter { $0.onDisk?.isMade == false || $0.awaited != nil }
    let renamings = registry.withLock {
      $0.renamings(Self.media(of: former), configured: Set(configuration.stores.map(\.name)))
    }
    return renamings.map { renaming in
      let path = configuration.store(named: renaming.store)?.medium.path ?? ""
      return
        "stores.\(renaming.store): \(path) was served as the store \"\(renaming.former)\" with "
        + "the WWID naa.\(renaming.identity.hexadecimal) so far, and is another disk now: to keep "
        + "it the same, give \"\(renaming.store)\" \"naa\": \"\(renaming.identity.hexadecimal)\" "
        + "and \"serial\": \"\(renaming.identity.serial)\" before anybody uses it"
    }
  }

  /// These are served from here on, for `renamings` to come. Saved with the next identity that is
  /// made, or by `saveMediaLater`.
  func noteMedia(of opened: [StoreAssembly.Opened]) {
    // Of a medium that is missing nobody knows what it will be.
    let media = Self.media(of: opened.filter { $0.awaited == nil })
    let isNews = registry.withLock { $0.note(media) }
    if isNews { hasNewMedia.store(true, ordering: .releasing) }
  }

  /// Has saved what is new of media, in turn with the changes. It sleeps for nobody, and the disk
  /// does nothing while changes save it themselves.
  func saveMediaLater() {
    guard hasNewMedia.exchange(false, ordering: .acquiringAndReleasing) else { return }
    let isAccepted = changes.perform { [self] in saveMedia() }
    // Who has to do as much as that is asked again.
    if !isAccepted { hasNewMedia.store(true, ordering: .releasing) }
  }

  /// Sleeps.
  func saveMedia() {
    do throws(DaemonError) {
      try registry.withLock { registry throws(DaemonError) in try registry.saveMedia() }
    } catch {
      logger.warning(
        """
        under which names media are served is not saved, so a later start may not tell that a \
        medium comes back under another name, as another disk; the next store that is added saves it
        """, metadata: ["error": "\(error)"])
    }
  }

  /// Paths by names, of stores whose identifiers are made here.
  private static func media(of opened: [StoreAssembly.Opened]) -> [String: String] {
    let paths = opened.map(\.configured).compactMap { store in
      store.naa == nil ? store.medium.path.map { (store.name, $0) } : nil
    }
    return Dictionary(paths, uniquingKeysWith: { one, _ in one })
  }
}
