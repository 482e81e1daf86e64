internal import Logging
internal import Reactor
public import SCSITarget

/// What became of a wish to remove a logical unit.
public enum UnitRemoval: Sendable, Equatable {
  /// Nothing of it is left: its store may be closed.
  case removed
  /// No unit of that name is presented.
  case notFound
  /// Nothing has changed: sessions present it at a LUN, or it is being formatted or sanitized.
  case inUse([UnitUse])
}

/// Somebody for whom a logical unit is there.
public enum UnitUse: Sendable, Hashable {
  case session(SessionKey)
  /// A FORMAT UNIT or SANITIZE goes on, which no session owns.
  case wipe
}

// Logical units that come and go while the reactors run. To be called on one worker, for all;
// completions are called there.
extension Worker {
  /// Presents `unit`, which has no device servers yet, on every reactor. Sessions meet it when it
  /// is complete, those that run at once if the directory names it; `completion` then. False: a
  /// unit of that name is here already, or has not left, and nothing happens.
  public func add(_ unit: LogicalUnit, completion: @escaping (Bool) -> Void) {
    let name = unit.identity.name
    guard servers[name] == nil, !leaving.contains(name), arriving.insert(name).inserted else {
      return completion(false)
    }
    onEveryWorker { [self] in
      onEveryWorker {
        self.arriving.remove(name)
        completion(true)
        for removal in self.removalsOfArriving.removeValue(forKey: name) ?? [] { removal() }
      } _: { worker, done in
        worker.reveal(name, completion: done)
      }
    } _: { worker, done in
      worker.hidden[name] = DeviceServer(unit: unit, reactor: worker.reactor)
      done()
    }
  }

  /// The unit is complete: sessions may use it.
  private func reveal(_ name: String, completion: @escaping () -> Void) {
    servers[name] = hidden.removeValue(forKey: name)
    updateSessions(completion: completion)
  }

  /// Takes the unit away on every reactor: out of the LUN maps of the sessions that have it, which
  /// are told, and its tasks, third-party copies and wipes ended. `completion` with `.removed` when
  /// the last operation on its store has ended and no device server is left; only then may the
  /// store be closed. What was saved of it (reservations, parameters, marks) stays as it is.
  ///
  /// Without `force` it is refused as long as a session has it or a wipe goes on. To take it away
  /// from the sessions, publish a directory without it first.
  public func remove(
    unitNamed name: String, force: Bool, completion: @escaping (UnitRemoval) -> Void
  ) {
    // One that is on its way must not come after it was taken for gone.
    if arriving.contains(name) {
      removalsOfArriving[name, default: []].append { [self] in
        remove(unitNamed: name, force: force, completion: completion)
      }
      return
    }
    guard let unit = servers[name]?.unit, leaving.insert(name).inserted else {
      return completion(.notFound)
    }
    let finish: (UnitRemoval) -> Void = { [self] in
      leaving.remove(name)
      completion($0)
    }
    // Hidden first, so that no session can come between the look at its users and the removal.
    ask { [self] (uses: [[UnitUse]]) in
      let uses = uses.flatMap(\.self)
      guard force || uses.isEmpty else {
        return onEveryWorker {
          finish(.inUse(uses))
        } _: { worker, done in
          worker.reveal(name, completion: done)
        }
      }
      drop(unit, finish)
    } _: { worker, answer in
      answer(worker.hide(name))
    }
  }

  private func hide(_ name: String) -> [UnitUse] {
    guard let server = servers.removeValue(forKey: name) else { return [] }
    hidden[name] = server
    let keys = allSessions.filter { $0.nexus?.has(server) ?? false }.compactMap(\.key)
    return keys.map { .session($0) } + (server.isWiping ? [.wipe] : [])
  }

  private func drop(_ unit: LogicalUnit, _ finish: @escaping (UnitRemoval) -> Void) {
    let name = unit.identity.name
    // No reactor begins another: who could has lost the unit.
    unit.medium.interrupt()
    onEveryWorker { [context] in
      unit.withdraw()
      context.logger.info("unit removed", metadata: ["unit": "\(name)"])
      finish(.removed)
    } _: { worker, done in
      // The map of every session loses it, as it is hidden.
      worker.updateSessions {
        guard let server = worker.hidden[name] else { return done() }
        server.whenIdle {
          worker.hidden[name] = nil
          done()
        }
      }
    }
  }
}
