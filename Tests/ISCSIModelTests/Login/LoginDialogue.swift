import Bytes
import ISCSIModel

/// The target every dialogue logs in to, and the initiator that may.
let initiatorName = "iqn.1994-05.com.redhat:node1"
let targetName = "iqn.2026-01.org.example:quorum1"

/// Admits any initiator to `targetName` and to discovery, on the terms of `grant`.
struct OneTarget: LoginAuthority {
  var grant: AdmissionGrant

  init(
    _ authentication: AuthenticationRequirement = .none, alias: String? = nil,
    policy: NegotiationPolicy = NegotiationPolicy()
  ) {
    grant = AdmissionGrant(
      authentication: authentication, targetPortalGroupTag: 1, targetAlias: alias, policy: policy,
      token: 7)
  }

  func admission(_ request: AdmissionRequest) -> Admission {
    switch request.targetName {
    case nil, targetName: .granted(grant)
    case "iqn.2026-01.org.example:moved": .redirect(address: "192.168.1.9:3260", permanent: false)
    default: .refused(.notFound)
    }
  }
}

/// The initiator's side of a login: builds real headers and keeps what may not change.
struct LoginDialogue {
  var machine: LoginMachine
  var isid: UInt64 = 0x00_02_3D_00_00_01
  var tsih: UInt16 = 0
  var cid: UInt16 = 0
  var itt: UInt32 = 0x1234
  var cmdSN: UInt32 = 100
  var expStatSN: UInt32 = 500
  var versionMin: UInt8 = 0
  var ahsWords: UInt8 = 0

  init(
    _ authority: any LoginAuthority = OneTarget(),
    challenges: any ChallengeRegistry = OutstandingChallenges(),
    randomBytes: @escaping @Sendable (Int) -> [UInt8] = LoginMachine.systemRandomBytes
  ) {
    machine = LoginMachine(
      authority: authority, challenges: challenges, randomBytes: randomBytes)
  }

  /// One Login Request: `flags` is byte 1 as it goes over the wire (T C 0 0 CSG NSG).
  mutating func send(_ flags: UInt8, _ pairs: [String] = []) -> LoginAction {
    send(flags, bytes: Array(pairs.map { $0 + "\0" }.joined().utf8))
  }

  mutating func send(_ flags: UInt8, bytes data: [UInt8]) -> LoginAction {
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.isImmediate = true
    header.bytes[1] = flags
    header.bytes[3] = versionMin
    header.bytes[4] = ahsWords
    header.bytes.setBigEndian(isid << 16 | UInt64(tsih), at: 8)
    header.initiatorTaskTag = InitiatorTaskTag(rawValue: itt)
    header.bytes.setBigEndian(cid, at: 20)
    header.bytes.setBigEndian(cmdSN, at: 24)
    header.bytes.setBigEndian(expStatSN, at: 28)
    guard let request = LoginRequest(header: header) else { return .close }
    return machine.received(request, data: data)
  }
}

// Byte 1 of the requests initiators send.
let securityToOperational: UInt8 = 0x81
let securityStay: UInt8 = 0x00
let securityToFullFeature: UInt8 = 0x83
let operationalToFullFeature: UInt8 = 0x87
let operationalStay: UInt8 = 0x04
let securityContinued: UInt8 = 0x40

let opening = ["InitiatorName=\(initiatorName)", "TargetName=\(targetName)", "SessionType=Normal"]

extension LoginAction {
  var reply: LoginReply? {
    switch self {
    case .respond(let reply), .refuse(let reply, _): reply
    case .complete, .close: nil
    }
  }

  var outcome: LoginOutcome? {
    if case .complete(let outcome) = self { outcome } else { nil }
  }

  var failure: LoginFailure? {
    if case .refuse(_, let failure) = self { failure } else { nil }
  }

  /// The status on the wire; nil where nothing is sent.
  var status: LoginStatus? { reply?.response.status }

  /// The answer's `key=value` strings.
  var answers: [String] { reply?.answers ?? [] }

  subscript(key: String) -> String? {
    answers.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
  }
}

extension LoginReply {
  var answers: [String] {
    text.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String { TextValue.hexadecimal(bytes) }
