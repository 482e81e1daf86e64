internal import Reactor

/// Counts what has to end before something can be said to be done. Holds itself open until `arm`.
final class Countdown {
  private var missing = 1
  private let completion: () -> Void

  init(_ completion: @escaping () -> Void) { self.completion = completion }

  func enter() { missing += 1 }

  func leave() {
    missing -= 1
    if missing == 0 { completion() }
  }

  func arm() { leave() }
}

/// Collects the answers of all workers on the one that asked.
private final class Answers<Answer: Sendable> {
  private var answers: [Int: Answer] = [:]
  private let count: Int
  private let completion: ([Answer]) -> Void

  init(count: Int, completion: @escaping ([Answer]) -> Void) {
    self.count = count
    self.completion = completion
  }

  func arrived(_ answer: Answer, from index: Int) {
    precondition(answers[index] == nil, "a worker answers once")
    answers[index] = answer
    guard answers.count == count else { return }
    completion(answers.sorted { $0.key < $1.key }.map(\.value))
  }
}

extension Worker {
  /// Runs `body` on every worker, this one included; `completion` on this one when all have
  /// answered, with the answers in the order of the reactors. A mailbox that is full delays, and
  /// never counts for an answer.
  func ask<Answer: Sendable>(
    _ completion: @escaping ([Answer]) -> Void,
    _ body: @escaping @Sendable (Worker, @escaping (Answer) -> Void) -> Void
  ) {
    precondition(!workers.isEmpty, "workers are connected first")
    let answers = Answers(count: workers.count, completion: completion)
    let here = ReactorBound(answers, on: reactor)
    for worker in workers {
      reactor.courier.send(to: worker) { worker in
        let index = worker.reactor.index
        body(worker) { [courier = worker.reactor.courier] answer in
          courier.send(to: here) { $0.arrived(answer, from: index) }
        }
      }
    }
  }

  /// As `ask`, where there is nothing to say but that it is done.
  func onEveryWorker(
    _ completion: @escaping () -> Void,
    _ body: @escaping @Sendable (Worker, @escaping () -> Void) -> Void
  ) {
    ask { (_: [Bool]) in
      completion()
    } _: { worker, answer in
      body(worker) { answer(true) }
    }
  }
}
