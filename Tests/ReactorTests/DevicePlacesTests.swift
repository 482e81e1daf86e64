import Testing

@testable import Reactor

@Suite("Places of devices")
struct DevicePlacesTests {
  private func device(_ number: Int) -> DeviceNumber { DeviceNumber(rawValue: UInt64(number)) }

  /// How many of `count` requests of a device get a place at once.
  private func enter(
    _ count: Int, of number: Int, _ places: inout DevicePlaces<Int>
  ) -> Int {
    (0..<count).count { places.enter(number * 1000 + $0, of: device(number)) }
  }

  @Test("Each device that hangs leaves half of what was free; nine leave a place to a tenth")
  func halves() {
    var places = DevicePlaces<Int>(count: 512)
    #expect((1...9).map { enter(1000, of: $0, &places) } == [256, 128, 64, 32, 16, 8, 4, 2, 1])
    #expect(places.freeCount == 1)
    #expect(enter(2, of: 10, &places) == 1)
    #expect(places.freeCount == 0)
    #expect(places.next() == nil)
  }

  @Test("What waits has its turn in order, device by device, and not before a place is free")
  func order() {
    var places = DevicePlaces<Int>(count: 4)
    #expect(enter(4, of: 1, &places) == 2)
    #expect(enter(3, of: 2, &places) == 1)
    #expect(enter(2, of: 3, &places) == 1)
    #expect(places.waitingCount == 5)
    #expect(places.next() == nil)
    places.leave(device(3))
    #expect(places.next() == 3001)
    // The first device has more than is free; each of the others one, which is as much.
    places.leave(device(2))
    #expect(places.next() == 2001)
    #expect(places.next() == nil)
    places.leave(device(2))
    places.leave(device(1))
    places.leave(device(1))
    #expect(places.next() == 1002)
    #expect(places.next() == 2002)
    #expect(places.next() == nil)
    #expect(places.waitingCount == 1)
    places.leave(device(3))
    #expect(places.next() == 1003)
    #expect(places.waitingCount == 0)
  }

  @Test("Of two that need the last place in turn, none starves")
  func turns() {
    var places = DevicePlaces<Int>(count: 1)
    #expect(enter(5, of: 1, &places) == 1)
    #expect(enter(5, of: 2, &places) == 0)
    var order: [Int] = []
    var current = 1
    for _ in 0..<9 {
      places.leave(device(current))
      guard let request = places.next() else { break }
      order.append(request)
      current = request / 1000
    }
    #expect(order == [1001, 2000, 1002, 2001, 1003, 2002, 1004, 2003, 2004])
  }

  @Test("A request does not pass those of its device that wait")
  func noOvertaking() {
    var places = DevicePlaces<Int>(count: 2)
    #expect(enter(2, of: 1, &places) == 1)
    places.leave(device(1))
    let mayPass = places.enter(1009, of: device(1))
    #expect(!mayPass)
    #expect(places.next() == 1001)
    places.leave(device(1))
    #expect(places.next() == 1009)
  }
}
