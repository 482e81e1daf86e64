internal import Synchronization

/// Looks at media that nobody waits for, from second to second: one of each name at a time, and few
/// at all. Where many disks hang, what somebody asks for still finds threads (`MediaThreads`), and
/// a file system that hangs with all of its directories leaves the others their looks.
final class UnaskedLooks: Sendable {
  /// A quarter of the threads: where all of these hang, three quarters are for who asks.
  static let countMax = MediaThreads.threadsMax / 4
  /// Four file systems have to hang before the others have no looks.
  static let countMaxOfFileSystem = countMax / 4

  private struct Look: Sendable {
    let name: String
    let place: String
    let fileSystem: UInt64?
    let job: MediaThreads.Job
  }

  private struct State: Sendable {
    /// Of looks that wait or are under way.
    var names: Set<String> = []
    /// In the order of their coming.
    var waiting: [Look] = []
    var count = 0
    var countOfFileSystem: [UInt64: Int] = [:]

    /// nil: none may begin now.
    mutating func next() -> Look? {
      guard count < UnaskedLooks.countMax,
        let index = waiting.firstIndex(where: { hasRoom($0.fileSystem) })
      else { return nil }
      let look = waiting.remove(at: index)
      count += 1
      if let fileSystem = look.fileSystem { countOfFileSystem[fileSystem, default: 0] += 1 }
      return look
    }

    private func hasRoom(_ fileSystem: UInt64?) -> Bool {
      guard let fileSystem else { return true }
      return countOfFileSystem[fileSystem] ?? 0 < UnaskedLooks.countMaxOfFileSystem
    }

    mutating func end(_ look: Look) {
      names.remove(look.name)
      count -= 1
      guard let fileSystem = look.fileSystem else { return }
      let rest = (countOfFileSystem[fileSystem] ?? 1) - 1
      countOfFileSystem[fileSystem] = rest > 0 ? rest : nil
    }
  }

  private let media: MediaThreads
  private let state = Mutex(State())

  init(_ media: MediaThreads) { self.media = media }

  /// Has `job` done when it is its turn, unless one of that name is to be done yet. What `job`
  /// keeps, it keeps for as long as others hang. `fileSystem` is nil of a device.
  func perform(
    _ name: String, at place: String, on fileSystem: UInt64?, _ job: @escaping MediaThreads.Job
  ) {
    let look = Look(name: name, place: place, fileSystem: fileSystem, job: job)
    let isNew = state.withLock { state in
      let isNew = state.names.insert(name).inserted
      if isNew { state.waiting.append(look) }
      return isNew
    }
    if isNew { beginNext() }
  }

  private func beginNext() {
    while let look = state.withLock({ $0.next() }) {
      media.perform(at: look.place) { [self] in
        look.job()
        state.withLock { $0.end(look) }
        beginNext()
      }
    }
  }
}
