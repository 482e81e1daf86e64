internal import Synchronization

/// Looks at media that nobody waits for, from second to second: one of each name at a time, and few
/// at all. Where many disks hang, what somebody asks for still finds threads (`MediaThreads`), and
/// a device that hangs, or a file system with all its directories, leaves the others their looks.
final class UnaskedLooks: Sendable {
  /// A quarter of the threads: where all of these hang, three quarters are for who asks.
  static let countMax = MediaThreads.threadsMax / 4
  /// Four file systems have to hang before the others have no looks.
  static let countMaxOfFileSystem = countMax / 4
  /// One of each: so many have to hang before the other devices have no looks, and file systems
  /// have theirs however many do.
  static let countMaxOfDevices = countMax / 2

  /// What hangs as one.
  private enum Disk: Hashable {
    case fileSystem(UInt64)
    case device(String)
  }

  private struct Look: Sendable {
    let name: String
    let place: String
    let disk: Disk
    let job: MediaThreads.Job
  }

  private struct State: Sendable {
    /// Of looks that wait or are under way.
    var names: Set<String> = []
    /// In the order of their coming.
    var waiting: [Look] = []
    var count = 0
    var deviceCount = 0
    /// Where there are any.
    var counts: [Disk: Int] = [:]

    /// nil: none may begin now.
    mutating func next() -> Look? {
      guard count < UnaskedLooks.countMax,
        let index = waiting.firstIndex(where: { hasRoom($0.disk) })
      else { return nil }
      let look = waiting.remove(at: index)
      add(1, look.disk)
      return look
    }

    private func hasRoom(_ disk: Disk) -> Bool {
      switch disk {
      case .fileSystem: counts[disk] ?? 0 < UnaskedLooks.countMaxOfFileSystem
      case .device: counts[disk] == nil && deviceCount < UnaskedLooks.countMaxOfDevices
      }
    }

    mutating func end(_ look: Look) {
      names.remove(look.name)
      add(-1, look.disk)
    }

    private mutating func add(_ change: Int, _ disk: Disk) {
      count += change
      if case .device = disk { deviceCount += change }
      let sum = (counts[disk] ?? 0) + change
      counts[disk] = sum > 0 ? sum : nil
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
    let disk = fileSystem.map { Disk.fileSystem($0) } ?? .device(place)
    let look = Look(name: name, place: place, disk: disk, job: job)
    let isNew = state.withLock { state in
      let isNew = state.names.insert(name).inserted
      if isNew { state.waiting.append(look) }
      return isNew
    }
    // One that is still to be done may wait for a thread that could not be started.
    if isNew { beginNext() } else { media.startThread() }
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
