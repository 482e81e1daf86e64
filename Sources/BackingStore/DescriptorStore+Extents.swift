internal import Reactor
internal import Synchronization

/// The calls that tell a file's map, FIEMAP and lseek(2), may wait for the disk, and no engine can
/// queue them. So a thread of its own makes them, one search after the other; it moves the
/// descriptor's position, which nothing else uses.
extension DescriptorStore {
  func findExtents(_ request: StoreRequest, on reactor: Reactor) {
    // The kernel does not tell what a block device has deallocated.
    guard kind == .file else { return request.finishLater(nil, on: reactor) }
    guard searches.enter(ExtentSearch(self, request, on: reactor)) else {
      return request.finishLater(.shortOfResources, on: reactor)
    }
  }

  fileprivate func extents(at offset: UInt64, count: UInt64) -> [StoreExtent] {
    FileMap.extents(
      of: descriptor, in: offset..<offset + count, tellingAnchors: capabilities.canAnchor)
  }
}

/// The searches of a store that wait for their turn, and the thread that makes them: there is one
/// as long as there are any.
final class ExtentSearches: Sendable {
  /// More than this at a time is a fault of somebody's, or the disk hangs.
  static let waitingMax = 64

  private struct State {
    var isRunning = false
    var waiting: [ExtentSearch] = []
  }
  private let state = Mutex(State())

  /// False: too many wait, or there is no thread to be had. The search has not begun then.
  fileprivate func enter(_ search: ExtentSearch) -> Bool {
    state.withLock { state in
      guard state.isRunning else {
        // While it is locked, so that nobody waits for a thread that could not be had.
        state.isRunning = start(search)
        return state.isRunning
      }
      guard state.waiting.count < ExtentSearches.waitingMax else { return false }
      state.waiting.append(search)
      return true
    }
  }

  private func start(_ first: ExtentSearch) -> Bool {
    do throws(SystemError) {
      try PlatformThread.start(name: "extents") { [self] in
        var search: ExtentSearch? = first
        while let current = search {
          current.run()
          search = next()
        }
      }
      return true
    } catch {
      return false
    }
  }

  private func next() -> ExtentSearch? {
    state.withLock { state in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.isRunning = false
      return nil
    }
  }
}

/// One search. It posts what it found from the thread it runs on.
///
/// Sendable because the request is touched on its own reactor alone.
private final class ExtentSearch: @unchecked Sendable {
  private let store: DescriptorStore
  private let request: StoreRequest
  private let home: Mailbox
  private let offset: UInt64
  private let count: UInt64

  private static let pauseMicroseconds: UInt32 = 10_000

  init(_ store: DescriptorStore, _ request: StoreRequest, on reactor: Reactor) {
    self.store = store
    self.request = request
    home = reactor.mailbox
    offset = request.offset
    count = request.count
  }

  func run() {
    let found = store.extents(at: offset, count: count)
    // A full mailbox has room again sometime; the request waits for its end.
    while !home.post({ [self] in finish(found) }) {
      PlatformThread.pause(microseconds: ExtentSearch.pauseMicroseconds)
    }
  }

  private func finish(_ found: [StoreExtent]) {
    request.noteExtents(found)
    request.finish(nil)
  }
}
