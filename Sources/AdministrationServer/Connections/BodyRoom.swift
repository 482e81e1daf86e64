internal import Synchronization

/// What the bodies of all requests may take together: what is decoded takes many times as much.
final class BodyRoom: Sendable {
  /// Of one request.
  final class Share: Sendable {
    private let room: BodyRoom
    private let byteCount = Mutex(0)

    init(of room: BodyRoom) { self.room = room }

    /// False: there is no more.
    func grow(by count: Int) -> Bool {
      guard room.take(count) else { return false }
      byteCount.withLock { $0 += count }
      return true
    }

    func giveBack() {
      let count = byteCount.withLock { count in
        defer { count = 0 }
        return count
      }
      room.giveBack(count)
    }
  }

  private let bytesMax: Int
  private let taken = Mutex(0)

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  private func take(_ count: Int) -> Bool {
    taken.withLock { taken in
      guard count <= bytesMax - taken else { return false }
      taken += count
      return true
    }
  }

  private func giveBack(_ count: Int) { taken.withLock { $0 -= count } }
}
