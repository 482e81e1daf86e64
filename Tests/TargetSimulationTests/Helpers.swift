import Reactor
import TargetSimulation

/// Notes completions in order.
final class Recorder: OperationHandler {
  struct Entry: Equatable {
    var context: UInt32
    var result: OperationResult
  }
  var entries: [Entry] = []

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    entries.append(Entry(context: context, result: result))
  }

  var contexts: [UInt32] { entries.map(\.context) }
  var values: [Int?] { entries.map(\.result.value) }
  var errors: [SystemError?] { entries.map(\.result.error) }
}

/// A target of a few lines: accepts one connection, receives for ever and may echo.
final class EchoServer: OperationHandler {
  enum Step { static let accept: UInt32 = 0, receive: UInt32 = 1, send: UInt32 = 2 }

  let reactor: Reactor
  let listener: SocketHandle
  let echoes: Bool
  let incoming: Buffer
  let incomingList = ScatterGatherList(capacity: 1)
  let outgoing: Buffer
  let outgoingList = ScatterGatherList(capacity: 1)
  var socket: SocketHandle?
  var received: [UInt8] = []
  var receiveCounts: [Int] = []
  var acceptErrors: [SystemError] = []
  var receiveEnd: OperationResult?
  var sendResults: [OperationResult] = []
  var isSending: Bool { !outgoingList.isEmpty }

  init(_ reactor: Reactor, listener: SocketHandle, echoes: Bool = true) {
    self.reactor = reactor
    self.listener = listener
    self.echoes = echoes
    incoming = reactor.buffers.allocate(65536)!
    outgoing = reactor.buffers.allocate(4 << 20)!
    reactor.accept(on: listener, for: self, context: Step.accept)
  }

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    switch context {
    case Step.accept: accepted(result)
    case Step.receive: received(result)
    default: sent(result)
    }
  }

  private func accepted(_ result: OperationResult) {
    if let error = result.error {
      acceptErrors.append(error)
      if error != .invalidArgument { reactor.accept(on: listener, for: self, context: Step.accept) }
      return
    }
    socket = SocketHandle(rawValue: result.rawValue)
    receive()
  }

  private func receive() {
    incomingList.removeAll()
    incomingList.append(incoming.slice(0..<65536))
    reactor.receive(on: socket!, into: incomingList, for: self, context: Step.receive)
  }

  private func received(_ result: OperationResult) {
    guard let count = result.value, count > 0 else {
      receiveEnd = result
      return
    }
    receiveCounts.append(count)
    let bytes = incoming.bytes(0..<count)
    received += bytes
    if echoes { send(bytes) } else { receive() }
  }

  func send(_ bytes: [UInt8]) {
    outgoing.store(bytes, at: 0)
    outgoingList.removeAll()
    outgoingList.append(outgoing.slice(0..<bytes.count))
    reactor.send(on: socket!, from: outgoingList, for: self, context: Step.send)
  }

  private func sent(_ result: OperationResult) {
    sendResults.append(result)
    guard let count = result.value else { return }
    outgoingList.advance(by: count)
    if !outgoingList.isEmpty {
      reactor.send(on: socket!, from: outgoingList, for: self, context: Step.send)
    } else if echoes {
      receive()
    }
  }
}

func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed) }
}
