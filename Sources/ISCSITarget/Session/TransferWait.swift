internal import ISCSIModel
internal import Reactor

/// The data that an initiator owes on the R2Ts of tasks which one task management function aborts.
/// The function's response waits for it (RFC 7143 §4.2.3.3 a); the data itself goes nowhere.
///
/// Many initiators send none once they have asked for the abort, which FastAbort would allow them.
/// Nothing here depends on it: a late Data-Out finds no task, and a transfer tag is not used again.
/// So patience has an end, or a LUN reset of theirs would never be answered.
final class TransferWait: TimerHandler {
  static let patience = Milliseconds(1000)

  private var owed: [TargetTransferTag: Connection]
  private let reactor: Reactor
  private var timer: TimerID?
  private var completion: (() -> Void)?

  init(_ owed: [TargetTransferTag: Connection], on reactor: Reactor) {
    self.owed = owed
    self.reactor = reactor
    timer = reactor.startTimer(after: TransferWait.patience, for: self)
  }

  var isOver: Bool { owed.isEmpty }

  /// Calls `completion` once, now if nothing is owed.
  func whenOver(_ completion: @escaping () -> Void) {
    guard !isOver else { return completion() }
    self.completion = completion
  }

  /// The last Data-Out for `tag` has come.
  func answered(_ tag: TargetTransferTag) {
    guard owed.removeValue(forKey: tag) != nil else { return }
    finishIfOver()
  }

  /// Nothing more comes on `connection`.
  func lost(_ connection: Connection) {
    owed = owed.filter { $0.value !== connection }
    finishIfOver()
  }

  func timerFired(_ timer: TimerID) {
    self.timer = nil
    owed = [:]
    finishIfOver()
  }

  private func finishIfOver() {
    guard isOver else { return }
    if let timer { reactor.cancelTimer(timer) }
    timer = nil
    let completion = completion
    self.completion = nil
    completion?()
  }
}

extension Session {
  /// `answer`, held back until the data owed on the R2Ts of `tasks` has come. To be asked before
  /// the tasks are aborted. Those that no unit has any more, refused and not told yet, are aborted
  /// here.
  func answering(
    afterDataFor tasks: [CommandTask], _ answer: @escaping (TaskManagementResponseCode) -> Void
  ) -> (TaskManagementResponseCode) -> Void {
    var owed: [TargetTransferTag: Connection] = [:]
    for task in tasks {
      guard let connection = task.connection, let transfer = task.transfer else { continue }
      for tag in transfer.outstandingTags { owed[tag] = connection }
    }
    for task in tasks { forgetIfUntold(task) }
    guard !owed.isEmpty else { return answer }
    let wait = TransferWait(owed, on: worker.reactor)
    transferWaits.removeAll { $0.isOver }
    transferWaits.append(wait)
    return { code in wait.whenOver { answer(code) } }
  }

  /// A Data-Out came for which there is no task any more.
  func lateDataArrived(_ pdu: DataOut) {
    guard pdu.isFinal, !transferWaits.isEmpty else { return }
    for wait in transferWaits { wait.answered(pdu.targetTransferTag) }
    transferWaits.removeAll { $0.isOver }
  }

  func transfersLost(on connection: Connection) {
    for wait in transferWaits { wait.lost(connection) }
    transferWaits.removeAll { $0.isOver }
  }
}
