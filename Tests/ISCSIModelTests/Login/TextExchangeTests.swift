import ISCSIModel
import Testing

private let entries = [
  SendTargetsEntry(
    name: "iqn.a",
    addresses: [
      .init(portal: "192.168.1.2:3260", portalGroupTag: 1),
      .init(portal: "[::1]:3260", portalGroupTag: 2),
    ]),
  SendTargetsEntry(name: "iqn.b", addresses: [.init(portal: "10.0.0.1:3260", portalGroupTag: 1)]),
]

private let tag = TargetTransferTag(rawValue: 0x77)

private struct Exchange {
  var machine: TextExchange
  var queries: [SendTargetsQuery] = []

  init(_ type: SessionType, maxSegment: Int = 8192) {
    machine = TextExchange(
      sessionType: type, sessionTarget: type == .normal ? "iqn.b" : nil, transferTag: tag,
      initiatorMaxRecvDataSegmentLength: maxSegment)
  }

  mutating func send(
    final: Bool = true, continued: Bool = false, tag: TargetTransferTag = .reserved,
    _ pairs: [String] = []
  ) -> TextAction {
    send(final, continued, tag, Array(pairs.map { $0 + "\0" }.joined().utf8))
  }

  mutating func send(
    _ final: Bool, _ continued: Bool, _ tag: TargetTransferTag, _ data: [UInt8]
  ) -> TextAction {
    var asked: [SendTargetsQuery] = []
    let action = machine.received(
      TextRequestFields(isFinal: final, isContinued: continued, targetTransferTag: tag),
      data: data
    ) { query in
      asked.append(query)
      switch query {
      case .all: return entries
      case .target(let name): return entries.filter { $0.name == name }
      }
    }
    queries += asked
    return action
  }
}

extension TextAction {
  fileprivate var reply: TextReply? { if case .respond(let reply) = self { reply } else { nil } }
  fileprivate var answers: [String] {
    (reply?.text ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}

@Suite("Text requests in full feature phase")
struct TextExchangeTests {
  @Test("SendTargets=All in discovery lists names, each before its addresses")
  func all() {
    var exchange = Exchange(.discovery)
    let action = exchange.send(["SendTargets=All"])
    #expect(
      action.answers == [
        "TargetName=iqn.a", "TargetAddress=192.168.1.2:3260,1", "TargetAddress=[::1]:3260,2",
        "TargetName=iqn.b", "TargetAddress=10.0.0.1:3260,1",
      ])
    #expect(action.reply?.isFinal == true)
    #expect(action.reply?.targetTransferTag == .reserved)
  }

  @Test("T-DISC-1: a normal session learns of its own target only")
  func normalSession() {
    var exchange = Exchange(.normal)
    #expect(exchange.send(["SendTargets=All"]).answers == ["SendTargets=Reject"])
    #expect(exchange.send(["SendTargets=iqn.a"]).answers == ["SendTargets=Reject"])
    #expect(exchange.queries.isEmpty)
    let own = ["TargetName=iqn.b", "TargetAddress=10.0.0.1:3260,1"]
    #expect(exchange.send(["SendTargets="]).answers == own)
    #expect(exchange.send(["SendTargets=IQN.B"]).answers == own)
  }

  @Test("T-DISC-1: a name discovery may not see is answered with nothing")
  func hidden() {
    var exchange = Exchange(.discovery)
    #expect(exchange.send(["SendTargets=iqn.hidden"]).reply?.text == [])
  }

  @Test("A long answer goes out one piece for each empty request and adds up")
  func pieces() throws {
    var exchange = Exchange(.discovery, maxSegment: 50)
    var reply = try #require(exchange.send(["SendTargets=All"]).reply)
    var text = reply.text
    var count = 1
    while !reply.isFinal {
      #expect(reply.isContinued)
      #expect(reply.text.count == 50)
      #expect(reply.targetTransferTag == tag)
      reply = try #require(exchange.send(tag: tag).reply)
      text += reply.text
      count += 1
    }
    #expect(text == sendTargetsText(entries))
    #expect(count == (text.count + 49) / 50)
    #expect(!reply.isContinued)
    #expect(exchange.queries == [.all])
  }

  @Test("Requests that break the exchange are rejected, and it starts anew")
  func broken() {
    var exchange = Exchange(.discovery, maxSegment: 50)
    #expect(exchange.send(tag: tag) == .reject(.unknownTransferTag))
    #expect(exchange.send(final: true, continued: true, ["a=b"]) == .reject(.continuedFinal))
    #expect(
      exchange.send(final: false, continued: true) == .reject(.text(.emptyContinuation)))
    _ = exchange.send(["SendTargets=All"])
    #expect(exchange.send(tag: tag, ["X-a=b"]) == .reject(.textWhileAnswering))
    #expect(exchange.send(tag: tag) == .reject(.unknownTransferTag))
    _ = exchange.send(["SendTargets=All"])
    #expect(exchange.send(["X-a=b"]).answers == ["X-a=NotUnderstood"])
  }

  @Test("A request in pieces is answered once it is whole")
  func continued() {
    var exchange = Exchange(.discovery)
    let bytes = Array("SendTargets=All\0".utf8)
    let first = exchange.send(false, true, .reserved, Array(bytes[..<5]))
    #expect(first.reply?.text == [])
    #expect(first.reply?.targetTransferTag == tag)
    let second = exchange.send(true, false, tag, Array(bytes[5...]))
    #expect(second.answers.count == 5)
  }

  @Test("T-TXT-5: an endless C bit is rejected")
  func endless() {
    var exchange = Exchange(.discovery)
    var action = exchange.send(false, true, .reserved, [97])
    var count = 1
    while action.reply != nil && count < 100 {
      action = exchange.send(false, true, tag, [97])
      count += 1
    }
    #expect(action == .reject(.text(.tooManyPDUs)))
    #expect(count == 33)
  }

  @Test("T-TXT-7: only what the standard lets change after login changes")
  func renegotiation() {
    var exchange = Exchange(.normal)
    let action = exchange.send([
      "MaxBurstLength=512", "HeaderDigest=None", "InitiatorName=iqn.other", "AuthMethod=None",
      "TargetAlias=x", "InitiatorAlias=new", "MaxRecvDataSegmentLength=65536", "X-y=z",
      "InitialR2T=Reject",
    ])
    #expect(
      action.answers == [
        "MaxBurstLength=Reject", "HeaderDigest=Reject", "InitiatorName=Reject",
        "AuthMethod=NotUnderstood", "TargetAlias=Reject", "X-y=NotUnderstood",
      ])
    #expect(exchange.machine.initiatorMaxRecvDataSegmentLength == 65536)
    for value in ["511", "16777216", "-1", "0x", "0512"] {
      #expect(
        exchange.send(["MaxRecvDataSegmentLength=\(value)"]).answers
          == ["MaxRecvDataSegmentLength=Reject"])
    }
    #expect(exchange.machine.initiatorMaxRecvDataSegmentLength == 65536)
  }

  @Test("A new MaxRecvDataSegmentLength holds only after the exchange that declared it")
  func declarationTakesEffect() {
    var exchange = Exchange(.normal)
    _ = exchange.send(final: false, ["MaxRecvDataSegmentLength=512"])
    #expect(exchange.machine.initiatorMaxRecvDataSegmentLength == 8192)
    _ = exchange.send(tag: tag)
    #expect(exchange.machine.initiatorMaxRecvDataSegmentLength == 512)
  }
}
