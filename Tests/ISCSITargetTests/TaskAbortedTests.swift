import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// The status of tasks that another nexus has aborted, and what they leave behind.
@Suite("TASK ABORTED")
struct TaskAbortedTests {
  @Test("Cleared tasks of the other nexus end with TASK ABORTED, by default, after their data")
  func taskAbortedStatus() throws {
    let target = try SimulatedTarget(seed: 43, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2, keys: [("InitialR2T", "No")])
    let (executing, hang) = try TaskManagementTests.hungWrite(two, target)
    let data = Example.pattern(4096)
    let asked = two.startWrite(8, data)
    let request = ReadyToTransfer(try #require(two.receive(.readyToTransfer)).header)
    let unasked = two.sendCommand(
      ScriptedInitiator.write16(16, 8), expected: 4096, isWrite: true, isFinal: false)
    target.pass(milliseconds: 50)
    one.sendManagement(.clearTaskSet)
    target.pass(milliseconds: 50)
    hang.release()
    // Nobody but the tasks themselves waits for their data.
    #expect(TaskManagementTests.response(one) == .functionComplete)
    #expect(two.finish(executing)?.status == 0x40)
    let half = Array(data.prefix(2048))
    two.sendDataOut(
      asked, transferTag: request.targetTransferTag, offset: 0, isFinal: false, half)
    target.pass(milliseconds: 200)
    #expect(two.inbox.isEmpty)
    two.sendDataOut(
      asked, transferTag: request.targetTransferTag, dataSN: 1, offset: 2048, half)
    two.sendDataOut(unasked, transferTag: .reserved, offset: 0, data)
    for tag in [asked, unasked] { #expect(two.finish(tag)?.status == 0x40) }
    #expect(two.attention() == 0)
    #expect(try target.disk().writesLanded.count == 1)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("TASK ABORTED waits for data that comes slowly")
  func taskAbortedSlowly() throws {
    let target = try SimulatedTarget(seed: 50, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let data = Example.pattern(4096)
    let tag = two.startWrite(8, data)
    let request = ReadyToTransfer(try #require(two.receive(.readyToTransfer)).header)
    #expect(one.manage(.clearTaskSet) == .functionComplete)
    let half = Array(data.prefix(2048))
    for (number, isLast) in [(UInt32(0), false), (UInt32(1), true)] {
      target.pass(milliseconds: 1500)
      #expect(two.inbox.isEmpty)
      two.sendDataOut(
        tag, transferTag: request.targetTransferTag, dataSN: number, offset: number * 2048,
        isFinal: isLast, half)
    }
    #expect(two.finish(tag)?.status == 0x40)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("TASK ABORTED is not lost where R2Ts of the task are asked for and wait to be sent")
  func taskAbortedWhileAsking() throws {
    let target = try SimulatedTarget(seed: 52, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(
      target, number: 2, keys: [("MaxOutstandingR2T", "2"), ("MaxBurstLength", "4096")])
    let data = Example.pattern(12_288)
    let tag = two.startWrite(8, data)
    let requests = try (0..<2).map { _ in
      ReadyToTransfer(try #require(two.receive(.readyToTransfer)).header)
    }
    func send(_ request: ReadyToTransfer) {
      two.sendDataOut(
        tag, transferTag: request.targetTransferTag, offset: request.bufferOffset,
        Array(data[Int(request.bufferOffset)...].prefix(4096)))
    }
    // What is read stands before the third R2T.
    two.peer.isReading = false
    for _ in 0..<64 {
      two.sendCommand(ScriptedInitiator.read16(0, 128), expected: 65_536, isRead: true)
    }
    target.pass(milliseconds: 100)
    send(requests[0])
    target.pass(milliseconds: 20)
    one.sendManagement(.clearTaskSet)
    target.pass(milliseconds: 20)
    two.peer.isReading = true
    target.pass(milliseconds: 100)
    send(requests[1])
    #expect(two.finish(tag)?.status == 0x40)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("TASK ABORTED is sent although a PDU of the task was half received")
  func taskAbortedWhileReceiving() throws {
    let target = try SimulatedTarget(seed: 44, targets: [Example.open()])
    let one = try ScriptedInitiator.loggedIn(target, number: 1)
    let two = try ScriptedInitiator.loggedIn(target, number: 2)
    let data = Example.pattern(4096)
    let tag = two.startWrite(8, data)
    let request = ReadyToTransfer(try #require(two.receive(.readyToTransfer)).header)
    let header = DataOutHeader.make(tag, request, two)
    let bytes = two.encode(header, [], data)
    two.peer.send(Array(bytes.prefix(1000)))
    target.pass(milliseconds: 20)
    #expect(one.manage(.clearTaskSet) == .functionComplete)
    two.peer.send(Array(bytes.dropFirst(1000)))
    #expect(two.finish(tag)?.status == 0x40)
    #expect(two.attention() == 0)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("What a fenced node's writes were to bring takes no memory, though it takes no answer")
  func memoryOfFenced() throws {
    let target = try SimulatedTarget(seed: 51, targets: [Example.open()])
    let nodes = try ReservationTests.cluster(target, count: 2)
    let buffers = target.reactors[0].buffers
    target.pass(milliseconds: 100)
    let before = buffers.lentBytes
    let data = Example.pattern(65_536)
    nodes[1].peer.isReading = false
    for number in 0..<8 {
      _ = nodes[1].startWrite(UInt64(number) * 128, data, style: WriteStyle(immediate: 512))
    }
    target.pass(milliseconds: 100)
    #expect(buffers.lentBytes - before >= 8 * data.count)
    #expect(nodes[0].reserve(.preemptAndAbort, key: 1, new: 2) == 0)
    target.pass(milliseconds: 10)
    #expect(buffers.lentBytes == before)
    #expect(try target.disk().writesLanded.isEmpty)
    nodes[1].peer.isReading = true
    #expect(target.isIdle(after: nodes))
  }
}
