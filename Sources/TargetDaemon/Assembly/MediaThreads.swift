internal import Reactor
internal import Synchronization

/// Threads for system calls on the media of stores, each of which may hang with its disk for as
/// long as that pleases. Whoever asks waits for a bounded time; what ends later is told to whoever
/// takes it then.
///
/// A place is what hangs as one: a directory of files, a device. Few threads are at one place at a
/// time, so that one that hangs leaves the others to all others. Threads start when there is
/// something to do, and end when there is not.
final class MediaThreads: Sendable {
  typealias Job = @Sendable () -> Void
  /// Starts a thread of that name, which ends with the job.
  typealias ThreadStart = @Sendable (String, @escaping Job) throws(DaemonError) -> Void

  static let threadsMax = 64
  static let threadsMaxOfPlace = 4

  /// How long a medium may take to answer.
  let patience: Milliseconds
  /// Called on the thread before a job at that place: a test's disk that hangs.
  private let enter: @Sendable (String) -> Void
  /// The kernel's, or a test's that has no thread left to give.
  let start: ThreadStart

  private struct Place {
    var waiting: [Job] = []
    var threadCount = 0
    /// Whether it is among `State.runnable`.
    var isRunnable: Bool {
      !waiting.isEmpty && threadCount < MediaThreads.threadsMaxOfPlace
    }
  }

  private struct State {
    var places: [String: Place] = [:]
    /// Each place where a thread could begin now, once, in the order of their coming.
    var runnable: [String] = []
    var threadCount = 0
  }
  private let state = Mutex(State())
  private let claims = Mutex<Set<String>>([])

  init(
    patience: Milliseconds = .seconds(5), enter: @escaping @Sendable (String) -> Void = { _ in },
    start: @escaping ThreadStart = PlatformThread.startDetached(name:_:)
  ) {
    self.patience = patience
    self.enter = enter
    self.start = start
  }

  /// Others, for what must not wait for a thread with all that these are for.
  func others() -> MediaThreads { MediaThreads(patience: patience, enter: enter, start: start) }

  var threadCount: Int { state.withLock { $0.threadCount } }

  /// Whether as many jobs are under way or wait at that place as may be under way there: another
  /// would have to wait.
  func isHeldUp(at place: String) -> Bool {
    state.withLock { state in
      guard let place = state.places[place] else { return false }
      return place.threadCount + place.waiting.count >= Self.threadsMaxOfPlace
    }
  }

  // MARK: Jobs

  /// Has `job` done at that place as soon as a thread is free for it.
  func perform(at place: String, _ job: @escaping Job) {
    state.withLock { state in
      let wasRunnable = state.places[place]?.isRunnable ?? false
      state.places[place, default: Place()].waiting.append(job)
      if !wasRunnable, state.places[place]?.isRunnable == true { state.runnable.append(place) }
    }
    startThread()
  }

  /// One more, if there is something for it to do. Where none can be started, and there is no
  /// other, that waits for the next call.
  func startThread() {
    let isNeeded = state.withLock { state in
      guard !state.runnable.isEmpty, state.threadCount < Self.threadsMax else { return false }
      state.threadCount += 1
      return true
    }
    guard isNeeded else { return }
    do throws(DaemonError) { try start("media") { [self] in run() } } catch {
      state.withLock { $0.threadCount -= 1 }
    }
  }

  private func run() {
    while let (place, job) = next() {
      enter(place)
      job()
      leave(place)
    }
  }

  /// Nil: there is nothing to do, and the thread ends.
  private func next() -> (place: String, job: Job)? {
    state.withLock { state in
      guard let name = state.runnable.first,
        let job = state.places[name]?.waiting.removeFirst()
      else {
        state.threadCount -= 1
        return nil
      }
      state.runnable.removeFirst()
      state.places[name]?.threadCount += 1
      if state.places[name]?.isRunnable == true { state.runnable.append(name) }
      return (name, job)
    }
  }

  private func leave(_ name: String) {
    state.withLock { state in
      let wasRunnable = state.places[name]?.isRunnable
      state.places[name]?.threadCount -= 1
      guard let place = state.places[name] else { return }
      if wasRunnable == false, place.isRunnable { state.runnable.append(name) }
      if place.threadCount == 0, place.waiting.isEmpty { state.places[name] = nil }
    }
  }

  // MARK: Paths

  /// A medium that was given up may be opened yet, made, and removed again: whoever claims its path
  /// first has it alone until then. False: somebody has it.
  func claim(_ path: String) -> Bool { claims.withLock { $0.insert(path).inserted } }

  func release(_ path: String) { claims.withLock { _ = $0.remove(path) } }

  // MARK: Questions

  /// What `job` comes to; nil: it has not ended by `deadline`, else in time, and `late` gets it
  /// when it has.
  func ask<Answer: Sendable>(
    at place: String, until deadline: MonotonicTime? = nil,
    _ job: @escaping @Sendable () -> Answer,
    late: @escaping @Sendable (Answer) -> Void = { _ in }
  ) -> Answer? {
    let answered = Semaphore()
    let question = Question(late)
    perform(at: place) {
      question.answer(job())
      answered.signal()
    }
    _ = answered.wait(until: deadline ?? MonotonicTime.current + patience)
    return question.giveUp()
  }

  /// The same for many at once. It waits for as long as any answer comes in time, and six times
  /// that at most.
  func askAll<Subject: Sendable, Answer: Sendable>(
    _ subjects: [Subject], at place: (Subject) -> String,
    _ job: @escaping @Sendable (Subject) -> Answer,
    late: @escaping @Sendable (Subject, Answer) -> Void = { _, _ in }
  ) -> [Answer?] {
    let answered = Semaphore()
    let questions = subjects.map { subject in Question<Answer> { late(subject, $0) } }
    for (subject, question) in zip(subjects, questions) {
      perform(at: place(subject)) {
        question.answer(job(subject))
        answered.signal()
      }
    }
    let end = MonotonicTime.current + Milliseconds(patience.rawValue * 6)
    for _ in subjects {
      guard answered.wait(until: min(.current + patience, end)) else { break }
    }
    return questions.map { $0.giveUp() }
  }
}

/// Something asked of a medium.
private final class Question<Answer: Sendable>: Sendable {
  private enum State {
    case open
    case answered(Answer)
    case givenUp
  }

  private let state = Mutex(State.open)
  private let late: @Sendable (Answer) -> Void

  init(_ late: @escaping @Sendable (Answer) -> Void) { self.late = late }

  func answer(_ answer: Answer) {
    let isLate = state.withLock { state in
      guard case .open = state else { return true }
      state = .answered(answer)
      return false
    }
    if isLate { late(answer) }
  }

  /// The answer, if there is one by now; else the one that comes is late.
  func giveUp() -> Answer? {
    state.withLock { state in
      defer { state = .givenUp }
      guard case .answered(let answer) = state else { return nil }
      return answer
    }
  }
}
