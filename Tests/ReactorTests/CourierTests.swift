import Reactor
import Synchronization
import TargetSimulation
import Testing

@Suite("Courier")
struct CourierTests {
  private final class Inbox {
    var numbers: [Int] = []
  }

  private let world = SimulatedWorld(seed: 1)
  private let reactors: [Reactor]
  private let inboxes: [ReactorBound<Inbox>]
  private let contents: [Inbox]

  init() {
    let world = world
    let reactors = (0..<3).map { world.makeReactor(index: $0, memoryBudgetBytes: 1 << 20) }
    contents = reactors.map { _ in Inbox() }
    inboxes = zip(contents, reactors).map { ReactorBound($0, on: $1) }
    self.reactors = reactors
  }

  private var courier: Courier { reactors[0].courier }

  private func send(_ number: Int, to index: Int) {
    courier.send(to: inboxes[index]) { $0.numbers.append(number) }
  }

  private func fill(_ index: Int) { while reactors[index].mailbox.post({}) {} }

  @Test("What a full mailbox refuses is posted in order as soon as there is room, once each")
  func retries() {
    fill(1)
    for number in 0..<3 { send(number, to: 1) }
    world.run([reactors[0]], for: Milliseconds(100))
    #expect(contents[1].numbers.isEmpty && courier.waitingCount == 3)
    reactors[1].turn()
    // One that comes now does not overtake those that wait.
    send(3, to: 1)
    reactors[1].turn()
    #expect(contents[1].numbers.isEmpty && courier.waitingCount == 4)
    world.run(reactors, for: Milliseconds(100))
    #expect(contents[1].numbers == [0, 1, 2, 3] && courier.waitingCount == 0)
    world.run(reactors, for: Milliseconds(100))
    #expect(contents[1].numbers.count == 4)
  }

  @Test("A full mailbox delays nothing that goes to another reactor, nor to this one")
  func independence() {
    fill(1)
    send(0, to: 1)
    send(1, to: 2)
    send(2, to: 0)
    #expect(courier.waitingCount == 1)
    reactors[2].turn()
    reactors[0].turn()
    #expect(contents[2].numbers == [1] && contents[0].numbers == [2])
    world.run(reactors, for: Milliseconds(100))
    #expect(contents[1].numbers == [0] && courier.waitingCount == 0)
  }

  @Test("Two full mailboxes are each emptied on their own, however long the other takes")
  func twoFull() {
    fill(1)
    fill(2)
    for number in 0..<3 {
      send(number, to: 1)
      send(number, to: 2)
    }
    world.run([reactors[0], reactors[2]], for: Milliseconds(100))
    #expect(contents[2].numbers == [0, 1, 2])
    #expect(contents[1].numbers.isEmpty && courier.waitingCount == 3)
    world.run(reactors, for: Milliseconds(100))
    #expect(contents[1].numbers == [0, 1, 2])
  }

  @Test("The answer to what a reactor has asked for reaches it although its mailbox is full")
  func answer() {
    fill(1)
    #expect(!inboxes[1].post { $0.numbers.append(0) })
    inboxes[1].answer { $0.numbers.append(1) }
    reactors[1].turn()
    #expect(contents[1].numbers == [1])
  }
}
