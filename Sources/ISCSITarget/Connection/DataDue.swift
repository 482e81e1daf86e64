internal import Bytes
internal import ISCSIModel
internal import Reactor

/// What an initiator owes on one connection: the data that R2Ts asked for and the unsolicited data
/// that commands announced. Memory waits for it, so it has to come at a least rate.
///
/// A clock runs while something is owed, and what comes of it sets it back by as long as so much
/// takes at that rate. So what counts is how far the initiator is **behind**: one byte now and then
/// sets it back by nothing to speak of, and no order among commands and no number of R2Ts matters
/// to a link that is slow and does what it can. Being behind is forgiven when no command collects
/// data any more, and when all that was owed at one look is there at the next, as on a link whose
/// delay is long and whose writes are short. Each PDU that uses memory has such a clock of its own.
struct DataDue {
  /// An eighth of a line of 1 Mbit/s. A segment of 256 KiB, the longest that we declare unless
  /// configured otherwise, takes 16 s at this rate.
  static let leastBytesPerSecond: UInt64 = 16 << 10
  /// Connections are looked at every 6 s at least. When it was longer the reactor was held up, and
  /// what came meanwhile has not been read.
  static let lookMax = Milliseconds.seconds(10)

  struct TaskName: Equatable {
    let cmdSN: SerialNumber
    let initiatorTaskTag: InitiatorTaskTag
  }

  /// What a look finds.
  struct Debt {
    /// The first of the commands that are owed data.
    var oldest: TaskName?
    /// The first and the last of those that collect data, asked for or not.
    var first: SerialNumber?
    var last: SerialNumber?
    /// What is still to come for them all.
    var byteCount = 0
  }

  /// Sequences asked for or announced that are not whole.
  private var openCount = 0
  /// Commands that collect data; some of them may wait for us to ask.
  private var collectingCount = 0
  /// While something is owed: what has come pays for the time up to here.
  private var paidUntil = MonotonicTime(rawValue: 0)
  /// While nothing is: by how many nanoseconds the initiator was behind.
  private var behind: UInt64 = 0
  /// When the PDU now arriving began: what has come of it pays for the time up to here.
  private var arrivalPaidUntil = MonotonicTime(rawValue: 0)
  /// How much of its data has paid.
  private var arrivedCount = 0
  /// The first of the commands that were owed data at the last look, and until when it must have
  /// all of it.
  private var oldest: (task: TaskName, deadline: MonotonicTime)?
  /// The last of the commands that collected data then.
  private var last: SerialNumber?
  private var lookTime = MonotonicTime(rawValue: 0)

  /// Without overflow up to 2⁴⁸ bytes, far more than there is memory.
  static func nanoseconds(for byteCount: Int) -> UInt64 {
    UInt64(clamping: byteCount) &* (1_000_000_000 / leastBytesPerSecond)
  }

  // MARK: Events

  /// `count` more sequences are owed, or fewer.
  mutating func opened(_ count: Int, at now: MonotonicTime) {
    let wasOwed = openCount > 0
    openCount += count
    precondition(openCount >= 0, "what is whole was asked for")
    guard wasOwed != (openCount > 0) else { return }
    if wasOwed {
      behind = now.rawValue - min(now.rawValue, paidUntil.rawValue)
    } else {
      paidUntil = MonotonicTime(rawValue: now.rawValue - min(now.rawValue, behind))
    }
  }

  /// `count` more commands collect data, or fewer.
  mutating func collects(_ count: Int) {
    collectingCount += count
    precondition(collectingCount >= openCount.signum(), "what is owed is owed to a command")
    if collectingCount == 0 { behind = 0 }
  }

  /// `byteCount` bytes of data for commands have come.
  mutating func came(_ byteCount: Int, at now: MonotonicTime) {
    let paid = DataDue.nanoseconds(for: byteCount)
    guard openCount > 0 else {
      behind -= min(behind, paid)
      return
    }
    paidUntil = min(now, MonotonicTime(rawValue: paidUntil.rawValue &+ paid))
  }

  mutating func arrivalBegan(at now: MonotonicTime) {
    arrivalPaidUntil = now
    arrivedCount = 0
  }

  /// Of the data of the PDU now arriving `byteCount` bytes are there; `isOwed`: they are a
  /// command's.
  mutating func arrived(_ byteCount: Int, isOwed: Bool, at now: MonotonicTime) {
    let news = byteCount - arrivedCount
    guard news > 0 else { return }
    arrivedCount = byteCount
    let paid = DataDue.nanoseconds(for: news)
    arrivalPaidUntil = min(now, MonotonicTime(rawValue: arrivalPaidUntil.rawValue &+ paid))
    if isOwed { came(news, at: now) }
  }

  /// All that was owed has come.
  private mutating func forgive(at now: MonotonicTime) {
    behind = 0
    paidUntil = now
  }

  /// Forgives all there is: it was not the initiator's fault.
  mutating func restart(at now: MonotonicTime) {
    forgive(at: now)
    arrivalPaidUntil = now
    oldest = nil
    last = nil
    lookTime = now
  }

  // MARK: Looks

  /// Begins a look, of which there must be some every few seconds. False: it cannot blame anybody.
  mutating func look(at now: MonotonicTime) -> Bool {
    let isTimely = now.milliseconds(since: lookTime) < DataDue.lookMax
    lookTime = now
    if !isTimely { restart(at: now) }
    return isTimely
  }

  /// By how much the initiator is behind.
  func behind(at now: MonotonicTime) -> Milliseconds {
    openCount > 0 ? now.milliseconds(since: paidUntil) : Milliseconds(0)
  }

  /// By how much the PDU now arriving is behind.
  func arrivalBehind(at now: MonotonicTime) -> Milliseconds {
    now.milliseconds(since: arrivalPaidUntil)
  }

  /// Whether one command has been owed data for too long: since it became the oldest everything
  /// that was to come then could have come, in whatever order.
  mutating func isStuck(_ debt: Debt, patience: Milliseconds, at now: MonotonicTime) -> Bool {
    // One that collects may not be owed anything just now, between two R2Ts.
    if let first = debt.first, last?.precedes(first) == true { forgive(at: now) }
    last = debt.last
    guard let first = debt.oldest else {
      oldest = nil
      return false
    }
    if let oldest, oldest.task == first { return now >= oldest.deadline }
    let rest = DataDue.nanoseconds(for: debt.byteCount)
    oldest = (first, MonotonicTime(rawValue: (now + patience).rawValue &+ rest))
    return false
  }
}

extension Connection {
  /// Whether the initiator keeps memory that others need for too long: it is `patience` behind with
  /// data, or with the PDU now arriving, or one command is passed over again and again, or the
  /// command before those that are held does not come.
  func isOwed(_ session: Session, for patience: Milliseconds) -> Bool {
    let now = reactor.now
    guard dataDue.look(at: now) else { return false }
    if session.lacksNumber(for: patience) { return true }
    // What it sends stays in the socket.
    if awaitsOrder { return false }
    if isArriving {
      noteArrived()
      if dataDue.arrivalBehind(at: now) >= patience { return true }
    }
    let isStuck = dataDue.isStuck(session.dataOwed(on: self), patience: patience, at: now)
    return isStuck || dataDue.behind(at: now) >= patience
  }

  /// A PDU that uses memory is not whole yet.
  private var isArriving: Bool { if case .ignored = arriving { false } else { true } }

  /// Counts what has come of the PDU now arriving.
  func noteArrived() {
    let isOwed =
      switch arriving {
      case .ignored, .collected: false
      case .held(let pdu): pdu.header.opcode == .scsiCommand
      case .command, .dataOut: true
      }
    dataDue.arrived(receiver.arrivedCount, isOwed: isOwed, at: reactor.now)
  }
}

extension Session {
  /// What is owed on `connection`. A command that has not been asked for any data yet is owed none.
  fileprivate func dataOwed(on connection: Connection) -> DataDue.Debt {
    // A transfer counts a PDU as come from its header on.
    var debt = DataDue.Debt(byteCount: connection.receiver.missingCount)
    for task in tasks.values where task.connection === connection {
      guard let transfer = task.transfer else { continue }
      debt.add(task.request, transfer)
    }
    return debt
  }
}

extension DataDue.Debt {
  fileprivate mutating func add(_ request: SCSICommandRequest, _ transfer: DataOutTransfer) {
    let cmdSN = request.cmdSN
    byteCount += transfer.remainingLength
    if first.map({ cmdSN.precedes($0) }) ?? true { first = cmdSN }
    if last?.precedes(cmdSN) ?? true { last = cmdSN }
    guard transfer.openSequenceCount > 0 else { return }
    if oldest.map({ cmdSN.precedes($0.cmdSN) }) ?? true {
      oldest = DataDue.TaskName(cmdSN: cmdSN, initiatorTaskTag: request.initiatorTaskTag)
    }
  }
}
