internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// What the last look at the medium of a store found; nil: no danger. As long-lived as the store in
/// the inventory.
///
/// Looks, and the wait for its lock, refer weakly to the note and not to the store: the first weak
/// reference makes every retain and release of an object slow for good. A store has several of
/// these for each command, a note none.
final class DangerNote: Sendable {
  private let found = Mutex<MediumDanger?>(nil)
  private let store = Mutex<DescriptorStore?>(nil)

  var danger: MediumDanger? { found.withLock { $0 } }

  /// Whether that is news. A file that was cut may get longer with each write.
  func note(_ danger: MediumDanger?) -> Bool {
    found.withLock { found in
      defer { found = danger }
      return found?.reason != danger?.reason
    }
  }

  var owner: DescriptorStore? { store.withLock { $0 } }

  func belong(to store: DescriptorStore?) { self.store.withLock { $0 = store } }

  /// On a thread that may hang with the medium.
  func look() throws(StoreError) -> MediumDanger? {
    try owner?.findDanger()
  }
}

/// Looks whether the media of stores are still what their paths lead to: two or three system calls
/// for each, on a thread that may hang with them, one look at a time in each place
/// (`UnaskedLooks`).
final class DangerWatch: Sendable {
  private let looks: UnaskedLooks

  /// Keeps neither the store nor, with it, its lock while the disk of another thinks.
  private struct Watched: Sendable {
    weak let note: DangerNote?

    init(_ opened: StoreAssembly.Opened) {
      note = opened.danger
      opened.danger.belong(to: opened.onDisk)
    }

    /// As it is now; where that cannot be told, as the last look found it.
    var danger: MediumDanger? {
      do throws(StoreError) { return try note?.look() } catch { return note?.danger }
    }
  }

  init(_ looks: UnaskedLooks) { self.looks = looks }

  /// Waits for nobody; `onNews` is called on another thread.
  func look(at served: [Inventory.Served], onNews: @escaping @Sendable () -> Void) {
    let onDisk = served.filter { $0.opened.onDisk != nil }
    for (place, stores) in Dictionary(grouping: onDisk, by: \.opened.configured.medium.place) {
      guard let place else { continue }
      let watched = stores.map { Watched($0.opened) }
      let fileSystem = stores.first?.opened.onDisk?.identity.fileSystem
      looks.perform("danger \(place)", at: place, on: fileSystem) {
        if Self.look(at: watched) { onNews() }
      }
    }
  }

  /// What has befallen each that is on a disk by now; where that cannot be told in time, what the
  /// last look found. For threads that may sleep. The notes are left to the looks, which are one at
  /// a time.
  static func dangers(
    of served: [Inventory.Served], on media: MediaThreads
  ) -> [(name: String, danger: MediumDanger)] {
    let watched = served.compactMap { served in
      served.opened.configured.medium.place.map { place in
        (name: served.name, place: place, watched: Watched(served.opened))
      }
    }
    let found = media.askAll(watched, at: \.place) { $0.watched.danger }
    return zip(watched, found).compactMap { one, found in
      let danger = if let found { found } else { one.watched.note?.danger }
      return danger.map { (name: one.name, danger: $0) }
    }
  }

  /// Whether there is news. Where nothing can be told, what was found last stays.
  private static func look(at watched: [Watched]) -> Bool {
    var isNews = false
    for one in watched {
      guard let note = one.note else { continue }
      do throws(StoreError) { if note.note(try note.look()) { isNews = true } } catch {}
    }
    return isNews
  }
}
