public import BackingStore
public import SCSITarget

/// What became of a store that came.
public enum StoreArrival: Sendable, Equatable {
  /// Every reactor serves it, and every initiator is told.
  case installed
  case notFound
  case refused(StoreArrivalRefusal)
}

extension Worker {
  /// Gives a unit with an `AwaitedStore` the store that it waits for, with all its sessions: their
  /// initiators find NOT READY TO READY CHANGE and CAPACITY DATA HAS CHANGED, and get the event on
  /// which many look for units again. Every call to the same worker; `completion` is called here.
  public func storeArrived(
    forUnitNamed name: String, _ store: any Store, completion: @escaping (StoreArrival) -> Void
  ) {
    guard let unit = servers[name]?.unit else { return completion(.notFound) }
    do throws(StoreArrivalRefusal) { try unit.take(store) } catch {
      return completion(.refused(error))
    }
    onEveryWorker {
      completion(.installed)
    } _: { worker, done in
      guard let server = worker.servers[name] ?? worker.hidden[name] else { return done() }
      server.storeArrived()
      for session in worker.allSessions where session.nexus?.has(server) ?? false {
        session.announceUnits()
      }
      done()
    }
  }

  /// The store of `unit`, which waited for its lock, has it: initiators that were told to wait hear
  /// of it as of a store that arrived. To all others the unit was ready, or BUSY, all the while.
  public func lockGranted(of unit: LogicalUnit) {
    onEveryWorker({}) { worker, done in
      for session in worker.allSessions {
        if session.nexus?.lockGranted(of: unit) ?? false { session.announceUnits() }
      }
      done()
    }
  }
}
