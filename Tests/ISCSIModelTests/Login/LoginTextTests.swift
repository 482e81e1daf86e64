import Bytes
import ISCSIModel
import Testing

@Suite("Text in the login phase")
struct LoginTextTests {
  @Test(
    "T-TXT-1: keys of every length are NotUnderstood or refused, bounded (CVE-2013-2850)",
    arguments: [1, 63, 64, 65, 255, 4096, 8100])
  func keyLengths(count: Int) {
    let key = String(repeating: "X", count: count)
    var login = LoginDialogue()
    _ = login.send(securityToOperational, opening + ["AuthMethod=None"])
    let action = login.send(operationalStay, ["\(key)=1"])
    if count <= 63 {
      #expect(action[key] == "NotUnderstood")
    } else {
      #expect(action.failure == .text(.keyTooLong(byteCount: count)))
      #expect(action.status == .initiatorError)
    }
    #expect((action.reply?.text.count ?? 0) <= 8192)
  }

  @Test(
    "T-TXT-2: thousands of tiny pairs are refused, never amplified (CVE-2026-63887)",
    arguments: [65, 1000, 2048])
  func amplification(count: Int) {
    var login = LoginDialogue()
    let pairs = (0..<count).map { index in
      "\(Character(UnicodeScalar(UInt8(97 + index % 26))))\(index / 26)="
    }
    let bytes = Array(pairs.map { $0 + "\0" }.joined().utf8.prefix(8191)) + [0]
    let action = login.send(securityToOperational, bytes: bytes)
    #expect(action.status == .initiatorError)
    #expect(action.reply?.text.isEmpty == true)
  }

  @Test("T-TXT-2: the largest answer there is fits one segment and keeps the order")
  func largestAnswer() throws {
    var login = LoginDialogue()
    _ = login.send(securityToOperational, opening + ["AuthMethod=None"])
    let keys = (0..<64).map { index in
      String(repeating: "k", count: 61) + String(index + 10)
    }
    let reply = try #require(login.send(operationalStay, keys.map { $0 + "=1" }).reply)
    #expect(reply.text.count < LoginMachine.dataSegmentLengthMax)
    #expect(reply.answers.dropLast() == keys.map { $0 + "=NotUnderstood" }[...])
  }

  @Test("T-TXT-3: every length around 8 KiB without NUL, with NULs inside (CVE-2026-90011)")
  func terminators() {
    for count in 8180...8200 {
      for filler in [UInt8(ascii: "a"), 0, UInt8(ascii: ";"), UInt8(ascii: "=")] {
        var login = LoginDialogue()
        let action = login.send(
          securityToOperational, bytes: [UInt8](repeating: filler, count: count))
        #expect(action.status == .initiatorError, "\(count) of \(filler)")
      }
    }
  }

  @Test("T-TXT-4: an empty segment with C, with T, with both, in every stage (CVE-2021-28361)")
  func emptyContinuation() {
    for operational in [false, true] {
      for flags: UInt8 in [0x40, 0xC1, 0xC3] {
        var login = LoginDialogue()
        _ = login.send(
          operational ? securityToOperational : securityStay, opening + ["AuthMethod=None"])
        let action = login.send(flags | (operational ? 0x04 : 0), bytes: [])
        #expect(action.status == .initiatorError)
      }
    }
  }

  @Test("T-TXT-5: an endless C bit ends after 32 requests or 64 KiB with 0302")
  func endlessContinuation() {
    for size in [1, 8192] {
      var login = LoginDialogue()
      var count = 0
      var action = LoginAction.close
      repeat {
        action = login.send(
          securityContinued, bytes: [UInt8](repeating: UInt8(ascii: "a"), count: size))
        count += 1
      } while action.status == .success && count < 100
      #expect(action.status == .outOfResources)
      #expect(count <= 33)
      #expect(login.send(securityContinued, bytes: [1]) == .close)
    }
  }

  @Test("T-TXT-5: a login that never ends is refused at its 33rd request")
  func endlessLogin() {
    var login = LoginDialogue()
    _ = login.send(securityStay, opening + ["AuthMethod=None"])
    for _ in 2...32 { #expect(login.send(securityStay).status == .success) }
    #expect(login.send(securityStay).failure == .tooManyPDUs)
  }

  @Test("Text cut anywhere between two requests with the C bit is read the same")
  func continuation() {
    let text = (opening + ["AuthMethod=None"]).map { $0 + "\0" }.joined()
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      var login = LoginDialogue()
      let first = login.send(securityContinued, bytes: Array(bytes[..<cut]))
      #expect(first.reply?.text.isEmpty == true)
      #expect(first.reply?.response.isTransit == false)
      let second = login.send(securityToOperational, bytes: Array(bytes[cut...]))
      #expect(second.answers == ["TargetPortalGroupTag=1", "AuthMethod=None"])
      #expect(second.reply?.response.isTransit == true)
    }
  }

  @Test("An answer longer than a segment goes out in pieces; only the last one transits")
  func longAnswer() throws {
    let alias = String(repeating: "a", count: 9000)
    var login = LoginDialogue(OneTarget(alias: alias))
    let first = try #require(login.send(operationalToFullFeature, opening).reply)
    #expect(first.text.count == 8192)
    #expect(first.response.isContinued)
    #expect(!first.response.isTransit)
    var talkative = login
    #expect(
      talkative.send(operationalToFullFeature, ["X-a=b"]).failure == .textWhileAnswering)
    #expect(login.send(operationalToFullFeature).outcome != nil)
    let last = login.machine.finish(tsih: TargetSessionID(rawValue: 1))
    #expect(last.response.statSN == SerialNumber(501))
    let whole = LoginReply(response: last.response, text: first.text + last.text)
    #expect(whole.answers.last == "TargetAlias=\(alias)")
  }

  @Test("T-PDU-1: a login cut short at any byte is refused, never a trap")
  func truncated() {
    let bytes = Array((opening + ["AuthMethod=None"]).map { $0 + "\0" }.joined().utf8)
    for count in 0..<bytes.count {
      var login = LoginDialogue()
      let status = login.send(securityToOperational, bytes: Array(bytes[..<count])).status
      let endsAtPair = count > 0 && bytes[count - 1] == 0
      #expect(status != nil)
      #expect(endsAtPair || status == .initiatorError || count == 0)
    }
  }

  @Test("T-PDU-2: a header of another opcode is no Login Request")
  func otherOpcode() {
    for raw in UInt8.min...0x3F where raw != Opcode.loginRequest.rawValue {
      #expect(
        LoginRequest(header: BasicHeaderSegment(opcode: Opcode(rawValue: raw))) == nil)
    }
  }
}
