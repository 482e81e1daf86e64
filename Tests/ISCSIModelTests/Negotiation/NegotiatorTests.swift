import ISCSIModel
import Testing

private func keys(_ pairs: [String]) throws -> TextKeys {
  try TextKeys(parsing: Array(pairs.map { $0 + "\0" }.joined().utf8))
}

private func answer(_ offer: String, _ policy: NegotiationPolicy = NegotiationPolicy()) throws
  -> String?
{
  var negotiator = Negotiator(policy: policy, sessionType: .normal, isLeading: true)
  return try negotiator.answer(keys([offer])).first?.value
}

@Suite("Operational negotiation")
struct NegotiatorTests {
  @Test(
    "Each key's result function",
    arguments: [
      ("HeaderDigest=CRC32C,None", "CRC32C"), ("HeaderDigest=X-y,None", "None"),
      ("DataDigest=CRC64", "Reject"), ("DataDigest=", "Reject"), ("InitialR2T=Yes", "Yes"),
      ("InitialR2T=No", "No"), ("ImmediateData=No", "No"), ("ImmediateData=Yes", "Yes"),
      ("MaxBurstLength=16777215", "1048576"), ("MaxBurstLength=0x2000", "8192"),
      ("FirstBurstLength=512", "512"), ("FirstBurstLength=16777215", "262144"),
      ("DefaultTime2Wait=0", "2"), ("DefaultTime2Wait=3600", "3600"),
      ("DefaultTime2Retain=3600", "0"), ("MaxOutstandingR2T=65535", "8"),
      ("MaxConnections=65535", "4"), ("ErrorRecoveryLevel=2", "0"), ("DataPDUInOrder=No", "Yes"),
      ("DataSequenceInOrder=No", "Yes"), ("TaskReporting=FastAbort,RFC3720", "RFC3720"),
      ("TaskReporting=FastAbort", "Reject"), ("iSCSIProtocolLevel=2", "2"),
      ("TaskReporting=FastAbort,ResponseFence,RFC3720", "ResponseFence"),
      ("iSCSIProtocolLevel=31", "2"), ("iSCSIProtocolLevel=1", "1"),
      ("iSCSIProtocolLevel=0", "0"), ("IFMarker=Yes", "No"), ("OFMarkInt=2048~8192", "Reject"),
      ("SendTargets=All", "Reject"), ("TargetAddress=1.2.3.4", "Reject"),
      ("X-com.example=1", "NotUnderstood"), ("initialr2t=No", "NotUnderstood"),
    ])
  func results(offer: String, expected: String) throws {
    #expect(try answer(offer) == expected)
  }

  @Test(
    "T-TXT-6: illegal values are rejected and leave the default",
    arguments: [
      "MaxBurstLength=511", "MaxBurstLength=16777216", "MaxBurstLength=4294967296",
      "MaxBurstLength=-1", "MaxBurstLength=0x", "MaxBurstLength=1e9", "MaxBurstLength=01024",
      "FirstBurstLength=", "MaxOutstandingR2T=0", "MaxConnections=0", "MaxConnections=65536",
      "ErrorRecoveryLevel=3", "DefaultTime2Wait=3601", "InitialR2T=yes", "InitialR2T=",
      "ImmediateData=1", "iSCSIProtocolLevel=32",
    ])
  func illegal(offer: String) throws {
    var negotiator = Negotiator(
      policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    #expect(try negotiator.answer(keys([offer])).first?.value == "Reject")
    #expect(negotiator.parameters == OperationalParameters())
  }

  @Test("A response fence and several connections do not go together; who comes first decides")
  func responseFence() throws {
    var negotiator = Negotiator(
      policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    let both = try negotiator.answer(keys(["TaskReporting=ResponseFence", "MaxConnections=2"]))
    #expect(both.map(\.value) == ["Reject", "2"])
    negotiator = Negotiator(policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    let fenced = try negotiator.answer(keys(["TaskReporting=ResponseFence,RFC3720"]))
    #expect(fenced.map(\.value) == ["ResponseFence"])
    #expect(try negotiator.answer(keys(["MaxConnections=8"])).map(\.value) == ["1"])
    #expect(negotiator.parameters.session.taskReporting == .responseFence)
    #expect(negotiator.parameters.session.maxConnections == 1)
  }

  @Test("An answer is not answered again")
  func answers() throws {
    for value in ["Reject", "Irrelevant", "NotUnderstood"] {
      #expect(try answer("X-a=\(value)") == nil)
      #expect(try answer("MaxBurstLength=\(value)") == nil)
    }
  }

  @Test("T-TXT-6: a key offered twice in one login is an error, also over two requests")
  func repeated() throws {
    var negotiator = Negotiator(
      policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    _ = try negotiator.answer(keys(["MaxBurstLength=1024"]))
    #expect(throws: NegotiationFailure.repeatedKey("MaxBurstLength")) {
      try negotiator.answer(keys(["MaxBurstLength=2048"]))
    }
  }

  @Test("An illegal declaration ends the login, for it has no answer")
  func illegalDeclaration() throws {
    let pair = TextPair("MaxRecvDataSegmentLength", "511")
    #expect(throws: NegotiationFailure.illegalDeclaration(pair)) {
      try answer("MaxRecvDataSegmentLength=511")
    }
  }

  @Test("FirstBurstLength is judged by InitialR2T and ImmediateData of the same text, in any order")
  func irrelevance() throws {
    for immediate in ["Yes", "No"] {
      var negotiator = Negotiator(
        policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
      let answers = try negotiator.answer(
        keys(["FirstBurstLength=1024", "InitialR2T=Yes", "ImmediateData=\(immediate)"]))
      #expect(answers[0].value == (immediate == "Yes" ? "1024" : "Irrelevant"))
      #expect(answers.map(\.key) == ["FirstBurstLength", "InitialR2T", "ImmediateData"])
    }
  }

  @Test("FirstBurstLength never exceeds MaxBurstLength, whichever comes first")
  func bursts() throws {
    var together = Negotiator(
      policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    let answers = try together.answer(keys(["FirstBurstLength=65536", "MaxBurstLength=4096"]))
    #expect(answers.map(\.value) == ["4096", "4096"])

    var apart = Negotiator(policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    _ = try apart.answer(keys(["FirstBurstLength=65536"]))
    #expect(try apart.answer(keys(["MaxBurstLength=4096"])).first?.value == "Reject")

    var byDefault = Negotiator(
      policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
    _ = try byDefault.answer(keys(["MaxBurstLength=4096"]))
    #expect(byDefault.parameters.session.firstBurstLength == 4096)
  }

  @Test("Every key with its least and greatest legal value gives parameters within the policy")
  func invariant() throws {
    let numbers = [
      ("MaxBurstLength", 512, 0xFF_FFFF), ("FirstBurstLength", 512, 0xFF_FFFF),
      ("MaxOutstandingR2T", 1, 65535), ("MaxConnections", 1, 65535),
      ("DefaultTime2Retain", 0, 3600), ("ErrorRecoveryLevel", 0, 2),
    ]
    for choice in 0..<(1 << numbers.count) {
      var negotiator = Negotiator(
        policy: NegotiationPolicy(), sessionType: .normal, isLeading: true)
      let offers = numbers.enumerated().map { index, number in
        "\(number.0)=\(choice >> index & 1 == 0 ? number.1 : number.2)"
      }
      _ = try negotiator.answer(keys(offers))
      let session = negotiator.parameters.session
      #expect(session.firstBurstLength <= session.maxBurstLength)
      #expect((512...1 << 20).contains(session.maxBurstLength))
      #expect((1...8).contains(session.maxOutstandingR2T))
      #expect((1...4).contains(session.maxConnections))
      #expect(session.errorRecoveryLevel == 0)
    }
  }
}
