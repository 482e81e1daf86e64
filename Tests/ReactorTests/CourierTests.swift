import Reactor
import TargetSimulation
import Testing

@Suite("Courier")
struct CourierTests {
  @Test("What a full mailbox refuses is posted in order as soon as there is room, once each")
  func retries() {
    let world = SimulatedWorld(seed: 1)
    let reactors = (0..<2).map { world.makeReactor(index: $0, memoryBudgetBytes: 1 << 20) }
    let courier = Courier(reactor: reactors[0])
    var arrived: [Int] = []
    var isFull = true
    for number in 0..<3 {
      courier.deliver {
        guard !isFull else { return false }
        arrived.append(number)
        return true
      }
    }
    world.run(reactors, for: Milliseconds(100))
    #expect(arrived.isEmpty && courier.waitingCount == 3)
    isFull = false
    // One that comes now does not overtake those that wait.
    courier.deliver {
      arrived.append(3)
      return true
    }
    #expect(arrived.isEmpty)
    world.run(reactors, for: Milliseconds(100))
    #expect(arrived == [0, 1, 2, 3] && courier.waitingCount == 0)
    world.run(reactors, for: Milliseconds(100))
    #expect(arrived.count == 4)
  }

  @Test("One that cannot be delivered keeps back none that can")
  func independence() {
    let world = SimulatedWorld(seed: 1)
    let reactors = [world.makeReactor(index: 0, memoryBudgetBytes: 1 << 20)]
    let courier = Courier(reactor: reactors[0])
    var arrived = 0
    var isFull = true
    courier.deliver { !isFull }
    courier.deliver {
      arrived += 1
      return true
    }
    world.run(reactors, for: Milliseconds(50))
    #expect(arrived == 1 && courier.waitingCount == 1)
    isFull = false
    world.run(reactors, for: Milliseconds(50))
    #expect(courier.waitingCount == 0)
  }
}
