import BackingStore
import Reactor
import Synchronization
import Testing

@testable import TargetDaemon

@Suite("Threads that may hang with a medium", .waiting)
struct MediaThreadsTests {
  /// Of places that begin with "hung" nothing comes before it is opened.
  private final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func enter(_ place: String) {
      guard place.hasPrefix("hung") else { return }
      while !isOpen.load(ordering: .acquiring) {
        _ = Semaphore().wait(until: .current + Milliseconds(5))
      }
    }
  }

  private final class Seen: Sendable {
    private let state = Mutex<[String]>([])

    var places: [String] { state.withLock { $0 } }
    func add(_ place: String) { state.withLock { $0.append(place) } }
  }

  private let gate = Gate()

  private func threads(_ patience: Milliseconds = .seconds(1)) -> MediaThreads {
    MediaThreads(patience: patience) { [gate] in gate.enter($0) }
  }

  @Test("A place that hangs takes few threads, others are served, and what is late is handed over")
  func hungPlace() {
    let threads = threads()
    let late = Mutex<[Int]>([])
    for number in 0..<20 {
      let answer = threads.ask(at: "hung") {
        number
      } late: { number in
        late.withLock { $0.append(number) }
      }
      #expect(answer == nil)
      if number > 5 { break }
    }
    #expect(threads.threadCount == MediaThreads.threadsMaxOfPlace)
    #expect(threads.isHeldUp(at: "hung") && !threads.isHeldUp(at: "good"))
    #expect(threads.ask(at: "good") { 7 } == 7)
    gate.open()
    #expect(eventually { late.withLock { Set($0) } == Set(0...6) })
    #expect(eventually { threads.threadCount == 0 }, "they end when there is nothing to do")
  }

  @Test("However many places hang, the threads are bounded, and none of the jobs is lost")
  func bound() {
    let threads = threads()
    let done = Mutex<Set<Int>>([])
    for number in 0..<100 {
      threads.perform(at: "hung \(number)") { done.withLock { _ = $0.insert(number) } }
    }
    #expect(threads.threadCount == MediaThreads.threadsMax)
    #expect(!threads.isHeldUp(at: "good"))
    for number in 100..<104 {
      threads.perform(at: "good") { done.withLock { _ = $0.insert(number) } }
    }
    #expect(threads.isHeldUp(at: "good"), "more would only wait with them")
    gate.open()
    #expect(eventually { done.withLock { $0.count } == 104 })
  }

  @Test("Looks that nobody asked for take few threads, of one file system fewer; none is lost")
  func unasked() {
    let threads = threads(.seconds(30))
    let looks = UnaskedLooks(threads)
    let seen = Seen()
    func look(_ place: String, _ fileSystem: UInt64?) {
      looks.perform(place, at: place, on: fileSystem) { seen.add(place) }
    }
    for number in 0..<50 { look("hung \(number)", 1) }
    #expect(threads.threadCount == UnaskedLooks.countMaxOfFileSystem)
    look("good", 2)
    #expect(eventually { seen.places == ["good"] })
    for number in 0..<150 { look("hung \(number)", number < 50 ? 1 : UInt64(number)) }
    #expect(eventually { threads.threadCount == UnaskedLooks.countMax })
    #expect(threads.ask(at: "good") { 7 } == 7)
    gate.open()
    #expect(eventually { seen.places.count == 151 })
    #expect(Set(seen.places).count == 151, "one of each name at a time")
  }

  @Test("Hung devices leave a file its looks, and one that hangs the other devices theirs")
  func unaskedOfDevices() {
    let threads = threads(.seconds(30))
    let looks = UnaskedLooks(threads)
    let seen = Seen()
    func look(_ place: String, _ fileSystem: UInt64? = nil) {
      for kind in ["danger", "growth"] {
        looks.perform("\(kind) \(place)", at: place, on: fileSystem) { seen.add(place) }
      }
    }
    look("hung 0")
    look("good device")
    #expect(eventually { seen.places.count == 2 })
    for number in 1..<50 { look("hung \(number)") }
    look("good file", 1)
    #expect(eventually { seen.places.count == 4 })
    #expect(Set(seen.places) == ["good device", "good file"])
    #expect(eventually { threads.threadCount == UnaskedLooks.countMaxOfDevices })
    gate.open()
    #expect(eventually { seen.places.count == 104 })
  }

  @Test("A look for which no thread could be started is done when it is asked for again")
  func noThread() {
    let hasThreads = Mutex(false)
    let threads = MediaThreads(start: { (name, run) throws(DaemonError) in
      guard hasThreads.withLock({ $0 }) else { throw DaemonError(.systemError, "no thread") }
      try PlatformThread.startDetached(name: name, run)
    })
    let looks = UnaskedLooks(threads)
    let seen = Seen()
    func look() { looks.perform("lock", at: "a", on: 1) { seen.add("a") } }
    look()
    look()
    hasThreads.withLock { $0 = true }
    #expect(threads.threadCount == 0 && seen.places.isEmpty)
    look()
    #expect(eventually { seen.places == ["a"] })
    #expect(eventually { threads.threadCount == 0 })
  }

  @Test("Of many questions those that hang are given up, and all others answered")
  func many() {
    let threads = threads()
    let late = Mutex<Set<Int>>([])
    let answers = threads.askAll(Array(0..<200), at: { $0 % 50 == 0 ? "hung" : "good" }) {
      $0 * 2
    } late: { number, _ in
      late.withLock { _ = $0.insert(number) }
    }
    let missing = answers.indices.filter { answers[$0] == nil }
    #expect(missing == [0, 50, 100, 150])
    let isEveryOtherRight = answers.indices.allSatisfy { (answers[$0] ?? $0 * 2) == $0 * 2 }
    #expect(isEveryOtherRight)
    gate.open()
    #expect(eventually { late.withLock { $0 } == [0, 50, 100, 150] })
  }

  @Test("A look at a medium is one at a time; what it found is taken once")
  func watch() throws {
    let watch = MediumWatch()
    #expect(watch.begin() && !watch.begin())
    #expect(watch.take() == nil)
    watch.end(nil)
    #expect(watch.begin())
    watch.end(.failure(.init("/a", .missing)))
    #expect(!watch.begin(), "nobody has taken it")
    #expect(watch.take() != nil && watch.take() == nil)
    #expect(watch.begin())
    #expect(watch.giveUp() == nil && !watch.end(.failure(.init("/a", .missing))))
    #expect(watch.take() == nil && !watch.begin())
  }
}
