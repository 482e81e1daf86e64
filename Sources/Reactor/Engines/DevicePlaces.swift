internal import DequeModule

/// Places that a reactor's devices share, of which one that hangs keeps a part only. What is beyond
/// a device's part waits here, in order, behind others of that device and of no other.
///
/// A device gets a further place as long as more are free than it has. So the first that hangs
/// leaves half of them, the second half of those, and so on; and one that is alone has half.
struct DevicePlaces<Request> {
  private struct Device {
    var number: DeviceNumber
    var taken = 0
    var waiting: Deque<Request> = []

    var isIdle: Bool { taken == 0 && waiting.isEmpty }
  }

  private(set) var freeCount: Int
  private(set) var waitingCount = 0
  /// As many as ever were busy at once; an idle one's entry goes to the next new one.
  private var devices: ContiguousArray<Device> = []
  /// Where the search for one that waits begins, so that each gets its turn.
  private var turn = 0

  init(count: Int) { freeCount = count }

  /// True: the request has a place, until `leave`. False: it waits, and comes back from `next`.
  mutating func enter(_ request: Request, of number: DeviceNumber) -> Bool {
    let index = self.index(of: number)
    guard mayTake(index), devices[index].waiting.isEmpty else {
      devices[index].waiting.append(request)
      waitingCount += 1
      return false
    }
    take(index)
    return true
  }

  /// Gives back a place that a request of the device had.
  mutating func leave(_ number: DeviceNumber) {
    let index = self.index(of: number)
    precondition(devices[index].taken > 0, "a place is given back once")
    devices[index].taken -= 1
    freeCount += 1
  }

  /// A request that has waited, and has a place now; nil if none may have one.
  mutating func next() -> Request? {
    guard waitingCount > 0 else { return nil }
    for step in devices.indices {
      let index = (turn + step) % devices.count
      guard mayTake(index), let request = devices[index].waiting.popFirst() else { continue }
      waitingCount -= 1
      turn = index + 1
      take(index)
      return request
    }
    return nil
  }

  private func mayTake(_ index: Int) -> Bool { devices[index].taken < freeCount }

  private mutating func take(_ index: Int) {
    devices[index].taken += 1
    freeCount -= 1
  }

  private mutating func index(of number: DeviceNumber) -> Int {
    if let known = devices.firstIndex(where: { $0.number == number }) { return known }
    if let idle = devices.firstIndex(where: { $0.isIdle }) {
      devices[idle].number = number
      return idle
    }
    devices.append(Device(number: number))
    return devices.count - 1
  }
}
