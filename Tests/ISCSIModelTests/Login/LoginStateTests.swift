import Bytes
import ISCSIModel
import Testing

private let node = CHAPUser(name: "node1", secret: Secret("123456789adm"))

@Suite("The login state machine")
struct LoginStateTests {
  @Test(
    "T-STATE-1: any other PDU before full feature phase closes the connection, and it stays closed")
  func otherPDU() {
    var login = LoginDialogue()
    _ = login.send(securityStay, opening + ["AuthMethod=None"])
    #expect(login.machine.receivedOtherPDU() == .close)
    #expect(login.send(securityToOperational) == .close)
  }

  @Test("T-STATE-1: a login request while the directory decides closes, even a valid one")
  func impatient() {
    var login = LoginDialogue()
    #expect(login.send(operationalToFullFeature, opening).outcome != nil)
    #expect(login.send(operationalToFullFeature, opening) == .close)
  }

  @Test("T-STATE-2: starting in the operational stage does not skip CHAP (CVE-2005-3327)")
  func skipCHAP() {
    var login = LoginDialogue(OneTarget(.chap(users: [node], mutual: nil)))
    let action = login.send(operationalToFullFeature, opening)
    #expect(action.failure == .authenticationRequired)
    #expect(action.status == .authenticationFailure)
  }

  @Test(
    "T-STATE-2: every sequence of four requests ends where the reference model says",
    arguments: [false, true])
  func exhaustiveWalk(chap: Bool) {
    let authority = OneTarget(chap ? .chap(users: [node], mutual: nil) : .none)
    var walk = Walk(depth: 4)
    walk.explore(LoginDialogue(authority), LoginModel(requiresCHAP: chap), challenge: nil, step: 0)
    #expect(walk.disagreements.isEmpty)
    #expect(walk.completions > 0)
    #expect(walk.sequences > 10_000)
  }

  @Test("T-STATE-3: what the first request fixed cannot change")
  func identity() {
    let changes: [(inout LoginDialogue) -> Void] = [
      { $0.isid += 1 }, { $0.tsih = 5 }, { $0.cid = 1 }, { $0.itt += 1 },
    ]
    for change in changes {
      var login = LoginDialogue()
      _ = login.send(securityToOperational, opening + ["AuthMethod=None"])
      change(&login)
      let action = login.send(operationalToFullFeature)
      #expect(action.failure == .identityChanged)
      #expect(action.status == .initiatorError)
    }
    for key in ["InitiatorName=iqn.other", "TargetName=iqn.other", "SessionType=Discovery"] {
      var login = LoginDialogue()
      _ = login.send(securityToOperational, opening + ["AuthMethod=None"])
      #expect(login.send(operationalToFullFeature, [key]).failure == .identityChanged, "\(key)")
    }
  }

  @Test("T-STATE-3: the same names again, in another case, are no change")
  func repeatedIdentity() {
    var login = LoginDialogue()
    _ = login.send(securityToOperational, opening + ["AuthMethod=None"])
    let again = login.send(
      operationalToFullFeature, ["InitiatorName=\(initiatorName.uppercased())"] + [opening[1]])
    #expect(again.outcome?.initiatorName == initiatorName)
  }

  @Test(
    "T-DISC-1: an unknown and a forbidden target get the same bytes; discovery CHAP is enforced")
  func discovery() {
    struct Guarded: LoginAuthority {
      func admission(_ request: AdmissionRequest) -> Admission {
        request.sessionType == .discovery
          ? .granted(
            AdmissionGrant(
              authentication: .chap(users: [node], mutual: nil), targetPortalGroupTag: 1))
          : .refused(.notFound)
      }
    }
    let replies = ["iqn.forbidden", "iqn.unknown"].map { name -> LoginReply? in
      var login = LoginDialogue(Guarded())
      return login.send(
        securityToOperational, ["InitiatorName=\(initiatorName)", "TargetName=\(name)"]
      ).reply
    }
    #expect(replies[0] == replies[1])
    #expect(replies[0]?.response.status == .notFound)

    for flags in [securityToFullFeature, operationalToFullFeature] {
      var login = LoginDialogue(Guarded())
      let action = login.send(
        flags, ["InitiatorName=\(initiatorName)", "SessionType=Discovery"])
      #expect(action.status == .authenticationFailure)
    }
  }

  @Test("A discovery session cannot be joined; another version is 0205; an AHS is refused")
  func headers() {
    var joining = LoginDialogue()
    joining.tsih = 1
    #expect(
      joining.send(
        securityToOperational, ["InitiatorName=a", "SessionType=Discovery", "AuthMethod=None"]
      ).status == .cannotIncludeInSession)
    var version = LoginDialogue()
    version.versionMin = 1
    #expect(version.send(securityToOperational, opening).status == .unsupportedVersion)
    var ahs = LoginDialogue()
    ahs.ahsWords = 1
    #expect(ahs.send(securityToOperational, opening).failure == .additionalHeader)
  }

  @Test("Operational keys in the security stage are refused, declarations with Use ALL are not")
  func operationalKeysEarly() {
    var login = LoginDialogue()
    #expect(
      login.send(securityToOperational, opening + ["InitialR2T=No"]).failure
        == .unexpectedKey("InitialR2T"))
    var other = LoginDialogue()
    let action = other.send(
      securityToFullFeature, opening + ["AuthMethod=None", "MaxRecvDataSegmentLength=65536"])
    #expect(
      action.outcome?.parameters.connection.initiatorMaxRecvDataSegmentLength == 65536)
  }
}

/// What RFC 7143 §6.3 lets a sequence of requests do, written without looking at the machine.
private struct LoginModel {
  enum Text { case next, nothing }
  enum Verdict: Equatable { case refused, stays, transits, completes }

  let requiresCHAP: Bool
  var stage: UInt8?
  var tsih: UInt16 = 0
  /// 0 nothing said, 1 CHAP agreed, 2 challenged, 3 nothing owed.
  var progress = 0
  var heldCopies = 0

  init(requiresCHAP: Bool) { self.requiresCHAP = requiresCHAP }

  mutating func step(_ flags: UInt8, tsih: UInt16, text: Text) -> Verdict {
    let (isTransit, isContinued) = (flags & 0x80 != 0, flags & 0x40 != 0)
    let (csg, nsg) = (flags >> 2 & 3, flags & 3)
    if stage == nil { (stage, self.tsih) = (csg, tsih) }
    guard csg <= 1, csg == stage, tsih == self.tsih else { return .refused }
    if isTransit && (isContinued || nsg == 2 || nsg <= csg) { return .refused }
    let copies = heldCopies + (text == .next && progress < 3 ? 1 : 0)
    if isContinued {
      if copies == heldCopies { return .refused }
      heldCopies = copies
      return .stays
    }
    heldCopies = 0
    if copies > 1 || (copies == 0 && progress == 0) { return .refused }
    if copies == 1 {
      if csg == 1 && requiresCHAP { return .refused }
      progress = requiresCHAP ? progress + 1 : 3
    }
    guard isTransit, progress == 3 else { return .stays }
    stage = nsg
    return nsg == 3 ? .completes : .transits
  }
}

/// Tries every header at every step and compares the machine with the model.
private struct Walk {
  let depth: Int
  var sequences = 0
  var completions = 0
  var disagreements: [String] = []

  init(depth: Int) { self.depth = depth }

  mutating func explore(
    _ login: LoginDialogue, _ model: LoginModel, challenge: LoginAction?, step: Int
  ) {
    guard step < depth, disagreements.count < 5 else { return }
    for byte in UInt8.min...UInt8.max where byte & 0x30 == 0 {
      // Without T, NSG means nothing; its values are tried in the last two steps only.
      if step < 2, byte & 0x80 == 0, byte & 3 != 0 { continue }
      for tsih: UInt16 in [0, 9] {
        for text in [LoginModel.Text.next, .nothing] {
          attempt(byte, tsih, text, login, model, challenge, step)
        }
      }
    }
  }

  private mutating func attempt(
    _ byte: UInt8, _ tsih: UInt16, _ text: LoginModel.Text, _ login: LoginDialogue,
    _ model: LoginModel, _ challenge: LoginAction?, _ step: Int
  ) {
    var (login, model) = (login, model)
    let pairs = text == .next ? nextText(model, byte, challenge) : []
    login.tsih = tsih
    let action = login.send(byte, pairs)
    let expected = model.step(byte, tsih: tsih, text: text)
    sequences += 1
    if verdict(action) != expected {
      disagreements.append("step \(step) flags \(byte) tsih \(tsih) \(text): \(action)")
    }
    if expected == .completes { completions += 1 }
    guard expected == .stays || expected == .transits else { return }
    explore(
      login, model, challenge: action["CHAP_C"] == nil ? challenge : action, step: step + 1)
  }

  private func verdict(_ action: LoginAction) -> LoginModel.Verdict? {
    switch action {
    case .respond(let reply): reply.response.isTransit ? .transits : .stays
    case .complete: .completes
    case .refuse: .refused
    case .close: nil
    }
  }

  private func nextText(
    _ model: LoginModel, _ byte: UInt8, _ challenge: LoginAction?
  ) -> [String] {
    switch model.progress {
    case 0 where byte >> 2 & 3 == 1: opening
    case 0: opening + [model.requiresCHAP ? "AuthMethod=CHAP" : "AuthMethod=None"]
    case 1: ["CHAP_A=5"]
    case 2: ["CHAP_N=node1", "CHAP_R=\(proof(challenge))"]
    default: []
    }
  }

  private func proof(_ challenge: LoginAction?) -> String {
    guard let identifier = challenge?["CHAP_I"].flatMap({ UInt8($0) }),
      let bytes = challenge?["CHAP_C"].flatMap({ TextValue.binary($0, bytesMax: 64) })
    else { return "" }
    return hexadecimal(
      CHAPAlgorithm.md5.response(identifier: identifier, secret: node.secret, challenge: bytes))
  }
}
