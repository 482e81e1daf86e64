internal import Reactor

// Task attributes (SAM-5 §8.7). While all tasks are SIMPLE a command pays one look at `isOrdering`.
// Else each that comes, starts or ends costs a few looks at every task of this share, of which
// there are at most `LogicalUnit.queueDepth`.
extension DeviceServer {
  /// Whether `task`, ready to start, must wait; it is then started by `advanceOrder`.
  func mustWait(_ task: SCSITask) -> Bool {
    if task.attribute == .headOfQueue {
      givePlace(task)
      return false
    }
    order.waiting.append(task)
    advanceOrder()
    return true
  }

  func enterOrder(_ task: SCSITask) {
    order.entered(task)
    isOrdering = true
  }

  /// Takes `task`, which has left the task set, out of the order. What follows from that happens in
  /// `advanceOrder`, when its owner has been told.
  func leaveOrder(_ task: SCSITask) { order.left(task) }

  /// Gives places to those whose turn among their own has come, starts what may start, asks for the
  /// first ORDERED task, and says when this share has drained. Called after everything that may
  /// change one of them.
  func advanceOrder() {
    guard !isAdvancing else {
      mustAdvanceAgain = true
      return
    }
    isAdvancing = true
    defer { isAdvancing = false }
    repeat {
      mustAdvanceAgain = false
      reportEnded()
      reportDrained()
      givePlaces()
      askForFirst()
      startReady()
    } while mustAdvanceAgain
    isOrdering = !order.isIdle
  }

  /// One that ends at once may end others of them and admit new ones. Those that may start stay
  /// such: what comes meanwhile comes after them.
  private func startReady() {
    for (task, entry) in order.takeReady()
    where task.phase == .collectingData && task.entry == entry && !task.isAborted {
      begin(task)
    }
  }

  /// An ORDERED task waits for all of its own nexus before it, a SIMPLE one for those that are
  /// ORDERED or HEAD OF QUEUE.
  private func givePlaces() {
    guard order.waiting.contains(where: { !$0.hasPlace }) else { return }
    noteFirstEntries()
    for task in order.waiting where !task.hasPlace && !task.isAborted {
      guard let nexus = task.nexus else { preconditionFailure("a waiting task has a nexus") }
      let predecessor = task.attribute == .ordered ? nexus.firstEntry : nexus.firstMarkedEntry
      if predecessor >= task.entry { givePlace(task) }
    }
  }

  /// Notes in every nexus that has tasks which of them is the first.
  private func noteFirstEntries() {
    for task in tasks {
      task.nexus?.firstEntry = .max
      task.nexus?.firstMarkedEntry = .max
    }
    for task in tasks {
      guard let nexus = task.nexus else { continue }
      nexus.firstEntry = min(nexus.firstEntry, task.entry)
      guard task.attribute != .simple else { continue }
      nexus.firstMarkedEntry = min(nexus.firstMarkedEntry, task.entry)
    }
  }

  private func reportEnded() {
    guard let ask = order.ended else { return }
    order.ended = nil
    deliver(unit.order.ended(ask))
  }

  private func reportDrained() {
    guard let boundary = order.boundary, !order.hasDrained, !hasTask(placedBefore: boundary) else {
      return
    }
    order.hasDrained = true
    deliver(unit.order.drained(share: share, number: order.number))
  }

  /// Asked for only when nothing before it is left here, so that the other shares are not closed
  /// for longer than they have to be.
  private func askForFirst() {
    guard order.asking == nil,
      let first = order.firstOrdered, !first.isAborted, !hasTask(before: first)
    else { return }
    let ask = UnitOrder.Ask(share: share, entry: first.entry)
    order.asking = (first, ask)
    deliver(unit.order.ask(ask))
  }

  /// Tells the shares; this one at once.
  private func deliver(_ notices: [UnitOrder.Notice]) {
    guard !notices.isEmpty else { return }
    let servers = unit.deviceServers
    for notice in notices {
      if notice.share == share {
        note(notice)
      } else if servers.indices.contains(notice.share) {
        let server = servers[notice.share]
        courier.send(to: server) { $0.note(notice) }
      }
    }
  }

  private func note(_ notice: UnitOrder.Notice) {
    switch notice {
    case .granted(let ask):
      guard order.asking?.ask == ask else { return }
      order.isGranted = true
    case .closed(_, let number):
      guard number > order.number else { return }
      order.number = number
      order.boundary = order.boundary(nextPlace: nextPlace)
      order.hasDrained = false
      isOrdering = true
    case .opened(_, let number):
      guard number > order.number else { return }
      order.number = number
      order.boundary = nil
    }
    advanceOrder()
  }
}
