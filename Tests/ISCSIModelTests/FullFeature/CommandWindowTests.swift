import Bytes
import ISCSIModel
import Testing

@Suite("Command window")
struct CommandWindowTests {
  static let starts: [UInt32] = [0, 5, 0x7FFF_FFFE, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF]

  private func window(at start: UInt32, credits: Int) -> CommandWindow {
    CommandWindow(initialCmdSN: SerialNumber(start), credits: credits)
  }

  @Test(
    "T-SN-1: outside [ExpCmdSN, MaxCmdSN] a command is ignored, at every edge", arguments: starts)
  func outside(start: UInt32) {
    var window = window(at: start, credits: 4)
    let first = SerialNumber(start)
    for number in [first - 1, first - 5, first + 4, first + 100, first + (1 << 31)] {
      #expect(window.receive(cmdSN: number, isImmediate: false) == .ignore)
    }
    #expect(window.expCmdSN == first && window.maxCmdSN == first + 3)
    #expect(window.receive(cmdSN: first, isImmediate: false) == .deliver)
    #expect(window.receive(cmdSN: first, isImmediate: false) == .ignore)
  }

  @Test("A gap holds what follows, and filling it releases all in order", arguments: starts)
  func gap(start: UInt32) {
    var window = window(at: start, credits: 4)
    let first = SerialNumber(start)
    #expect(window.receive(cmdSN: first + 2, isImmediate: false) == .hold)
    #expect(window.receive(cmdSN: first + 1, isImmediate: false) == .hold)
    #expect(window.receive(cmdSN: first + 1, isImmediate: false) == .ignore)
    #expect(window.releaseNext() == nil && window.heldCount == 2)
    #expect(window.receive(cmdSN: first, isImmediate: false) == .deliver)
    #expect(window.releaseNext() == first + 1)
    #expect(window.releaseNext() == first + 2)
    #expect(window.releaseNext() == nil && window.heldCount == 0)
    #expect(window.expCmdSN == first + 3)
  }

  @Test("The widest window, filled in any order, comes out in order", arguments: starts)
  func widest(start: UInt32) {
    let width = UInt32(CommandWindow.widthMax)
    let first = SerialNumber(start)
    for stride: UInt32 in [1, 3, 255, width - 1] {
      var window = window(at: start, credits: CommandWindow.widthMax)
      var delivered: [UInt32] = []
      for index in 0..<width {
        // An odd stride visits each number of a window of 512 once; the first comes last.
        let number = first + (index + 1) * stride % width
        let disposition = window.receive(cmdSN: number, isImmediate: false)
        #expect(disposition == (number == window.expCmdSN - 1 ? .deliver : .hold))
        if disposition == .deliver { delivered.append(number.rawValue) }
        while let released = window.releaseNext() { delivered.append(released.rawValue) }
      }
      #expect(delivered == (0..<width).map { (first + $0).rawValue })
      #expect(window.expCmdSN == first + width && window.heldCount == 0)
    }
  }

  @Test("An immediate command is delivered with any number and advances nothing")
  func immediate() {
    var window = window(at: 7, credits: 0)
    for number: UInt32 in [0, 7, 8, .max] {
      #expect(window.receive(cmdSN: SerialNumber(number), isImmediate: true) == .deliver)
    }
    #expect(window.expCmdSN.rawValue == 7 && window.maxCmdSN.rawValue == 6)
  }

  @Test("Fewer credits never take MaxCmdSN back; more move it on", arguments: starts)
  func credits(start: UInt32) {
    var window = window(at: start, credits: 3)
    let first = SerialNumber(start)
    window.grant(credits: 0)
    window.grant(credits: -5)
    #expect(window.maxCmdSN == first + 2)
    for count: UInt32 in 0..<3 {
      #expect(window.receive(cmdSN: first + count, isImmediate: false) == .deliver)
    }
    window.grant(credits: 0)
    #expect(window.expCmdSN == first + 3 && window.maxCmdSN == first + 2)
    #expect(window.receive(cmdSN: first + 3, isImmediate: false) == .ignore)
    window.grant(credits: 1_000_000)
    #expect(window.maxCmdSN == first + 3 + UInt32(CommandWindow.widthMax) - 1)
  }

  @Test("A refusal halves what is offered, and takes nothing back", arguments: starts)
  func refusal(start: UInt32) {
    var window = window(at: start, credits: 64)
    let first = SerialNumber(start)
    for index: UInt32 in 0..<40 {
      #expect(window.receive(cmdSN: first + index, isImmediate: false) == .deliver)
    }
    window.refused(first + 39, inProgress: 40)
    #expect(window.depth == 20)
    window.offer(inProgress: 40)
    #expect(window.maxCmdSN == first + 63)
    // The rest of the crowd that had been offered is refused without another cut.
    for index: UInt32 in 40..<64 {
      #expect(window.receive(cmdSN: first + index, isImmediate: false) == .deliver)
      window.refused(first + index, inProgress: 64)
    }
    #expect(window.depth == 20)
    window.offer(inProgress: 64)
    #expect(window.maxCmdSN == first + 63)
    window.offer(inProgress: 15)
    #expect(window.maxCmdSN == first + 68)
    #expect(window.receive(cmdSN: first + 64, isImmediate: false) == .deliver)
    window.refused(first + 64, inProgress: 16)
    #expect(window.depth == 8)
  }

  @Test("The window never closes, and opens again by one for each window of commands that succeed")
  func recovery() {
    var window = window(at: 1, credits: 8)
    for count in 0..<8 {
      #expect(
        window.receive(cmdSN: SerialNumber(1) + UInt32(count), isImmediate: false) == .deliver)
    }
    window.refused(SerialNumber(8), inProgress: 1)
    #expect(window.depth == 1)
    var completions = 0
    window.offer(inProgress: 0)
    var number = SerialNumber(9)
    while window.depth < 8 {
      #expect(window.receive(cmdSN: number.next(), isImmediate: false) == .deliver)
      window.completed()
      window.offer(inProgress: 0)
      completions += 1
      if completions >= 100 { break }
    }
    #expect(completions == 1 + 2 + 3 + 4 + 5 + 6 + 7)
    window.completed()
    #expect(window.depth == 8 && window.maxCmdSN == number + 7)
  }

  @Test("ABORT TASK of a command on its way completes, and the command is ignored when it comes")
  func abortOnItsWay() {
    var window = window(at: 10, credits: 8)
    #expect(window.receive(cmdSN: SerialNumber(12), isImmediate: false) == .hold)
    let answer = window.abortUnknownTask(
      refCmdSN: SerialNumber(10), functionCmdSN: SerialNumber(13))
    #expect(answer == .functionComplete)
    #expect(window.expCmdSN.rawValue == 11)
    #expect(window.receive(cmdSN: SerialNumber(10), isImmediate: false) == .ignore)
    #expect(
      window.abortUnknownTask(refCmdSN: SerialNumber(11), functionCmdSN: SerialNumber(13))
        == .functionComplete)
    #expect(window.receive(cmdSN: SerialNumber(11), isImmediate: false) == .ignore)
    #expect(window.releaseNext()?.rawValue == 12)
    #expect(window.expCmdSN.rawValue == 13)
  }

  @Test(
    "ABORT TASK with RefCmdSN past, beyond the window or not before its own CmdSN finds no task")
  func abortOfNothing() {
    var window = window(at: 10, credits: 4)
    for (reference, function) in [(9, 10), (14, 15), (11, 11), (12, 11)] as [(UInt32, UInt32)] {
      let answer = window.abortUnknownTask(
        refCmdSN: SerialNumber(reference), functionCmdSN: SerialNumber(function))
      #expect(answer == .taskDoesNotExist)
    }
    #expect(window.expCmdSN.rawValue == 10)
    #expect(window.receive(cmdSN: SerialNumber(11), isImmediate: false) == .hold)
  }

  @Test("ABORT TASK that names the number of another held command finds no task and aborts none")
  func abortOfAnother() {
    var window = window(at: 10, credits: 4)
    #expect(window.receive(cmdSN: SerialNumber(11), isImmediate: false) == .hold)
    #expect(
      window.abortUnknownTask(refCmdSN: SerialNumber(11), functionCmdSN: SerialNumber(12))
        == .taskDoesNotExist)
    #expect(window.receive(cmdSN: SerialNumber(10), isImmediate: false) == .deliver)
    #expect(window.releaseNext()?.rawValue == 11)
  }

  @Test(
    "Every sequence of five events agrees with a naive model",
    arguments: [0xFFFF_FFFD, 0x7FFF_FFFD, 510])
  func exhaustive(start: UInt32) {
    explore(
      CommandWindow(initialCmdSN: SerialNumber(start), credits: 3), NaiveWindow(credits: 3),
      start: start, depth: 5)
  }

  private func explore(_ window: CommandWindow, _ model: NaiveWindow, start: UInt32, depth: Int) {
    let base = SerialNumber(start)
    #expect(window.expCmdSN == base + UInt32(model.expected))
    #expect(window.maxCmdSN == base + UInt32(bitPattern: Int32(model.last)))
    #expect(window.heldCount == model.held.count)
    guard depth > 0 else { return }
    for event in Event.all {
      var (window, model) = (window, model)
      let ours = event.apply(to: &window, base: base)
      let theirs = event.apply(to: &model)
      #expect(ours == theirs, "\(event) from \(start)")
      if ours != theirs { return }
      explore(window, model, start: start, depth: depth - 1)
    }
  }
}

private enum Event {
  case receive(Int)
  case plug(Int)
  case grant(Int)

  static let all: [Event] =
    (-1...4).map { .receive($0) } + [.plug(0), .plug(1), .plug(3)] + [.grant(0), .grant(2)]

  /// What was delivered, in order, as offsets from the start; [-1] hold, [-2] ignore.
  func apply(to window: inout CommandWindow, base: SerialNumber) -> [Int] {
    var log: [Int] = []
    switch self {
    case .receive(let offset):
      let number = base + UInt32(bitPattern: Int32(offset))
      switch window.receive(cmdSN: number, isImmediate: false) {
      case .deliver: log.append(offset)
      case .hold: log.append(-1)
      case .ignore: log.append(-2)
      }
    case .plug(let offset): window.plug(base + UInt32(offset))
    case .grant(let credits): window.grant(credits: credits)
    }
    while let released = window.releaseNext() { log.append(Int(released.distance(from: base))) }
    return log
  }

  func apply(to model: inout NaiveWindow) -> [Int] {
    switch self {
    case .receive(let offset): return model.receive(offset)
    case .plug(let offset): return model.plug(offset)
    case .grant(let credits):
      model.last = max(model.last, model.expected + credits - 1)
      return []
    }
  }
}

/// The window over plain integers that never wrap, with sets that never forget.
private struct NaiveWindow {
  var expected = 0
  var last: Int
  var held: Set<Int> = []
  var seen: Set<Int> = []

  init(credits: Int) { last = credits - 1 }

  mutating func receive(_ number: Int) -> [Int] {
    guard (expected...max(expected, last)).contains(number), number <= last,
      seen.insert(number).inserted
    else { return [-2] }
    guard number == expected else {
      held.insert(number)
      return [-1]
    }
    return [number] + drain()
  }

  mutating func plug(_ number: Int) -> [Int] {
    guard number >= expected, number <= last else { return [] }
    seen.insert(number)
    held.remove(number)
    return drain()
  }

  private mutating func drain() -> [Int] {
    var log: [Int] = []
    // The one that was just delivered is in `seen` and not in `held`, as plugged ones are.
    while seen.contains(expected) {
      if held.remove(expected) != nil { log.append(expected) }
      expected += 1
    }
    return log
  }
}
