public import SCSITarget

/// What became of a wish to give a logical unit another capacity.
public enum UnitResize: Sendable, Equatable {
  /// It has it on every reactor. Of one that shrank, nothing is under way behind the end: its store
  /// may be cut.
  case resized
  case notFound
  case refused(ResizeRefusal)
}

extension Worker {
  /// What `resize` would say now if the store were large enough; nothing changes.
  public func judgeResize(
    unitNamed name: String, toBytes bytes: UInt64, allowsShrinking: Bool
  ) -> UnitResize {
    guard let unit = servers[name]?.unit else { return .notFound }
    let refusal = unit.resizeRefusal(bytes: bytes, allowsShrinking: allowsShrinking)
    return refusal.map { .refused($0) } ?? .resized
  }

  /// Gives a unit the capacity of `bytes`, which its store has; every initiator is told by a unit
  /// attention. To grow, the store is resized first; to shrink, afterwards. Every call to the same
  /// worker, one at a time for a unit; `completion` is called here.
  public func resize(
    unitNamed name: String, toBytes bytes: UInt64, allowsShrinking: Bool = false,
    completion: @escaping (UnitResize) -> Void
  ) {
    guard let unit = servers[name]?.unit else { return completion(.notFound) }
    let shrunk: Bool
    do throws(ResizeRefusal) {
      shrunk = try unit.setCapacity(bytes: bytes, allowsShrinking: allowsShrinking)
    } catch {
      return completion(.refused(error))
    }
    onEveryWorker {
      completion(.resized)
    } _: { worker, done in
      guard let server = worker.servers[name] ?? worker.hidden[name] else { return done() }
      server.capacityChanged(shrunk: shrunk, completion: done)
    }
  }
}
