internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// What the last look at the medium of a store found; nil: no danger.
final class DangerNote: Sendable {
  private let found = Mutex<MediumDanger?>(nil)

  var danger: MediumDanger? { found.withLock { $0 } }

  /// Whether that is news. A file that was cut may get longer with each write.
  func note(_ danger: MediumDanger?) -> Bool {
    found.withLock { found in
      defer { found = danger }
      return found?.reason != danger?.reason
    }
  }
}

/// Looks whether the media of stores are still what their paths lead to: two or three system calls
/// for each, on a thread that may hang with them, one look at a time in each place
/// (`UnaskedLooks`).
final class DangerWatch: Sendable {
  private let looks: UnaskedLooks

  /// Keeps neither the store nor, with it, its lock while the disk of another thinks.
  private struct Watched: Sendable {
    weak let store: DescriptorStore?
    let note: DangerNote
  }

  init(_ looks: UnaskedLooks) { self.looks = looks }

  /// Waits for nobody; `onNews` is called on another thread.
  func look(at served: [Inventory.Served], onNews: @escaping @Sendable () -> Void) {
    let onDisk = served.filter { $0.opened.onDisk != nil }
    for (place, stores) in Dictionary(grouping: onDisk, by: \.opened.configured.medium.place) {
      guard let place else { continue }
      let watched = stores.map { Watched(store: $0.opened.onDisk, note: $0.opened.danger) }
      let fileSystem = stores.first?.opened.onDisk?.identity.fileSystem
      looks.perform("danger \(place)", at: place, on: fileSystem) {
        if Self.look(at: watched) { onNews() }
      }
    }
  }

  /// Whether there is news. Where nothing can be told, what was found last stays.
  private static func look(at watched: [Watched]) -> Bool {
    var isNews = false
    for one in watched {
      guard let store = one.store else { continue }
      do throws(StoreError) {
        if one.note.note(try store.findDanger()) { isNews = true }
      } catch {}
    }
    return isNews
  }
}
