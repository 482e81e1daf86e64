internal import Reactor

// Task attributes (SAM-5 §8.7). While all tasks are SIMPLE a command pays one look at `isOrdering`.
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
      // A task that ends at once changes the order under this loop.
      while let task = order.takeReady() { begin(task) }
    } while mustAdvanceAgain
    isOrdering = !order.isIdle
  }

  private func givePlaces() {
    for task in order.waiting where !task.hasPlace && !task.isAborted {
      let waitsForOwn =
        task.attribute == .ordered
        ? hasTask(of: task.nexus, before: task.entry) : order.hasOwnPredecessor(task)
      if !waitsForOwn { givePlace(task) }
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

  /// Asked for only when nothing before it is left here, so that the other shares are not closed for
  /// longer than they have to be.
  private func askForFirst() {
    guard order.asking == nil,
      let first = order.ordered.filter({ $0.hasPlace }).min(by: { $0.place < $1.place }),
      !first.isAborted, !hasTask(before: first)
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
