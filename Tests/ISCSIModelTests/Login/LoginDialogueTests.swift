import Bytes
import ISCSIModel
import Testing

@Suite("Logins of the common initiators")
struct LoginDialogueTests {
  @Test("open-iscsi without CHAP: security, operational, full feature, numbers counted")
  func openISCSI() throws {
    var login = LoginDialogue(OneTarget(alias: "quorum"))
    let first = login.send(
      securityToOperational,
      [
        "InitiatorName=\(initiatorName)", "InitiatorAlias=node1", "TargetName=\(targetName)",
        "SessionType=Normal", "AuthMethod=None",
      ])
    let greeting = try #require(first.reply)
    #expect(greeting.answers == ["TargetPortalGroupTag=1", "AuthMethod=None"])
    #expect(greeting.response.isTransit)
    #expect(greeting.response.nextStage == .operational)
    #expect(greeting.response.targetSessionID == .none)
    #expect(greeting.response.statSN == SerialNumber(500))
    #expect(greeting.response.expCmdSN == SerialNumber(100))

    let second = login.send(
      operationalToFullFeature,
      [
        "HeaderDigest=None", "DataDigest=None", "DefaultTime2Wait=2", "DefaultTime2Retain=0",
        "IFMarker=No", "OFMarker=No", "ErrorRecoveryLevel=0", "InitialR2T=No",
        "ImmediateData=Yes", "MaxBurstLength=16776192", "FirstBurstLength=262144",
        "MaxOutstandingR2T=1", "MaxConnections=1", "DataPDUInOrder=Yes",
        "DataSequenceInOrder=Yes", "MaxRecvDataSegmentLength=262144",
      ])
    let outcome = try #require(second.outcome)
    #expect(outcome.initiatorName == initiatorName)
    #expect(outcome.initiatorAlias == "node1")
    #expect(outcome.targetName == targetName)
    #expect(outcome.sessionType == .normal)
    #expect(outcome.requestedTargetSessionID == .none)
    #expect(outcome.authenticatedUser == nil)
    #expect(outcome.initialCmdSN == SerialNumber(100))
    #expect(outcome.nextStatSN == SerialNumber(502))
    #expect(outcome.grant.token == 7)
    let agreed = outcome.parameters
    #expect(!agreed.session.initialR2T)
    #expect(agreed.session.immediateData)
    #expect(agreed.session.maxBurstLength == 1 << 20)
    #expect(agreed.session.firstBurstLength == 262_144)
    #expect(agreed.session.defaultTime2Retain == 0)
    #expect(agreed.connection.initiatorMaxRecvDataSegmentLength == 262_144)
    #expect(agreed.connection.targetMaxRecvDataSegmentLength == 262_144)

    let final = login.machine.finish(tsih: TargetSessionID(rawValue: 0xBEEF))
    #expect(
      final.answers == [
        "HeaderDigest=None", "DataDigest=None", "DefaultTime2Wait=2", "DefaultTime2Retain=0",
        "IFMarker=No", "OFMarker=No", "ErrorRecoveryLevel=0", "InitialR2T=No",
        "ImmediateData=Yes", "MaxBurstLength=1048576", "FirstBurstLength=262144",
        "MaxOutstandingR2T=1", "MaxConnections=1", "DataPDUInOrder=Yes",
        "DataSequenceInOrder=Yes", "MaxRecvDataSegmentLength=262144", "TargetAlias=quorum",
      ])
    #expect(final.response.targetSessionID.rawValue == 0xBEEF)
    #expect(final.response.statSN == SerialNumber(501))
  }

  @Test("The final response's 48 bytes are RFC 7143 §11.13's")
  func finalHeader() throws {
    var login = LoginDialogue()
    _ = login.send(operationalToFullFeature, opening)
    let header = login.machine.finish(tsih: TargetSessionID(rawValue: 0xBEEF)).header
    let expected: [UInt8] = [
      0x23, 0x87, 0x00, 0x00,  // opcode; T, CSG 1, NSG 3; version-max, version-active
      0x00, 0x00, 0x00, 0x37,  // no AHS; 55 bytes: TargetPortalGroupTag, MaxRecvDataSegmentLength
      0x00, 0x02, 0x3D, 0x00, 0x00, 0x01, 0xBE, 0xEF,  // ISID, TSIH
      0x00, 0x00, 0x12, 0x34,  // ITT
      0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x01, 0xF4,  // StatSN 500
      0x00, 0x00, 0x00, 0x64,  // ExpCmdSN 100
      0x00, 0x00, 0x00, 0x64,  // MaxCmdSN
      0x00, 0x00, 0x00, 0x00,  // status
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ]
    #expect((0..<48).map { header.bytes[$0] } == expected)
  }

  @Test("libiscsi: straight into the operational stage, its CmdSN window kept")
  func libiscsi() throws {
    var login = LoginDialogue()
    let action = login.send(
      operationalToFullFeature,
      [
        "InitiatorName=\(initiatorName)", "InitiatorAlias=libiscsi", "TargetName=\(targetName)",
        "SessionType=Normal", "HeaderDigest=None,CRC32C", "DataDigest=None", "InitialR2T=No",
        "ImmediateData=Yes", "MaxBurstLength=262144", "FirstBurstLength=262144",
        "MaxRecvDataSegmentLength=262144", "DataPDUInOrder=Yes", "DefaultTime2Wait=2",
        "DefaultTime2Retain=0", "IFMarker=No", "OFMarker=No", "MaxConnections=1",
        "MaxOutstandingR2T=1", "ErrorRecoveryLevel=0", "DataSequenceInOrder=Yes",
      ])
    let outcome = try #require(action.outcome)
    #expect(outcome.parameters.connection.headerDigest == .none)
    let final = login.machine.finish(
      tsih: TargetSessionID(rawValue: 1), maxCmdSN: SerialNumber(227))
    #expect(final.response.maxCmdSN == SerialNumber(227))
    #expect(final.answers.first == "TargetPortalGroupTag=1")
    #expect(final.answers.contains("HeaderDigest=None"))
  }

  @Test(
    "Windows: upper-case name, CRC32C first, FirstBurstLength Irrelevant without unsolicited"
  )
  func windows() throws {
    var login = LoginDialogue()
    let first = login.send(
      securityToOperational,
      [
        "InitiatorName=IQN.1991-05.com.microsoft:NODE1", "SessionType=Normal",
        "TargetName=\(targetName)", "AuthMethod=None,CHAP",
      ])
    #expect(first["AuthMethod"] == "None")
    let second = login.send(
      operationalToFullFeature,
      [
        "HeaderDigest=CRC32C,None", "DataDigest=None,CRC32C", "ErrorRecoveryLevel=2",
        "InitialR2T=Yes", "ImmediateData=No", "MaxRecvDataSegmentLength=65536",
        "MaxBurstLength=262144", "FirstBurstLength=65536", "MaxConnections=1",
        "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes", "DefaultTime2Wait=0",
        "DefaultTime2Retain=60", "MaxOutstandingR2T=16",
      ])
    let outcome = try #require(second.outcome)
    #expect(outcome.initiatorName == "iqn.1991-05.com.microsoft:node1")
    #expect(outcome.parameters.connection.headerDigest == .crc32c)
    #expect(outcome.parameters.session.maxOutstandingR2T == 8)
    let final = login.machine.finish(tsih: TargetSessionID(rawValue: 2))
    #expect(final.answers.contains("FirstBurstLength=Irrelevant"))
    #expect(final.answers.contains("ErrorRecoveryLevel=0"))
    #expect(final.answers.contains("DefaultTime2Wait=2"))
    #expect(final.answers.contains("DefaultTime2Retain=0"))
  }

  @Test("ESXi: negotiates in two operational requests; our declaration is sent once")
  func esxi() throws {
    var login = LoginDialogue()
    _ = login.send(
      securityToOperational,
      [
        "InitiatorName=iqn.1998-01.com.vmware:esx1", "TargetName=\(targetName)",
        "SessionType=Normal", "AuthMethod=CHAP,None",
      ])
    let first = login.send(
      operationalStay,
      ["HeaderDigest=None", "DataDigest=None", "InitialR2T=Yes", "ImmediateData=Yes"])
    #expect(first["MaxRecvDataSegmentLength"] == "262144")
    #expect(first.reply?.response.isTransit == false)
    let second = login.send(
      operationalToFullFeature,
      [
        "MaxRecvDataSegmentLength=131072", "MaxBurstLength=262144", "FirstBurstLength=262144",
        "TaskReporting=RFC3720", "iSCSIProtocolLevel=2",
      ])
    #expect(second.outcome?.parameters.session.firstBurstLength == 262_144)
    let final = login.machine.finish(tsih: TargetSessionID(rawValue: 3))
    #expect(
      final.answers == [
        "MaxBurstLength=262144", "FirstBurstLength=262144", "TaskReporting=RFC3720",
        "iSCSIProtocolLevel=2",
      ])
  }

  @Test("Discovery: no TargetName needed, no portal group tag, session keys Irrelevant")
  func discovery() throws {
    var login = LoginDialogue()
    let first = login.send(
      securityToOperational,
      ["InitiatorName=\(initiatorName)", "SessionType=Discovery", "AuthMethod=None"])
    #expect(first.answers == ["AuthMethod=None"])
    let second = login.send(
      operationalToFullFeature, ["MaxBurstLength=262144", "MaxRecvDataSegmentLength=32768"])
    #expect(second.outcome?.sessionType == .discovery)
    #expect(second.outcome?.targetName == nil)
    let final = login.machine.finish(tsih: TargetSessionID(rawValue: 4))
    #expect(final.answers == ["MaxBurstLength=Irrelevant", "MaxRecvDataSegmentLength=262144"])
  }

  @Test("From the security stage straight to full feature keeps every default")
  func securityToFull() throws {
    var login = LoginDialogue()
    let action = login.send(securityToFullFeature, opening + ["AuthMethod=None"])
    let outcome = try #require(action.outcome)
    #expect(outcome.parameters == OperationalParameters())
  }

  @Test("A connection that joins a session may not touch session-wide keys")
  func join() throws {
    var login = LoginDialogue()
    login.tsih = 9
    login.cid = 1
    let action = login.send(
      operationalToFullFeature, opening + ["MaxBurstLength=512", "HeaderDigest=CRC32C"])
    let outcome = try #require(action.outcome)
    #expect(outcome.requestedTargetSessionID.rawValue == 9)
    #expect(outcome.connectionID.rawValue == 1)
    #expect(outcome.parameters.connection.headerDigest == .crc32c)
    let final = login.machine.finish(
      tsih: TargetSessionID(rawValue: 9), expCmdSN: SerialNumber(900), maxCmdSN: SerialNumber(931))
    #expect(final.answers.contains("MaxBurstLength=Reject"))
    #expect(final.response.expCmdSN == SerialNumber(900))
  }

  @Test("Before the session is known, a login that joins it acknowledges no command of it")
  func numbersOfJoining() throws {
    for tsih in [UInt16(9), 0] {
      var login = LoginDialogue()
      login.tsih = tsih
      let greeting = try #require(login.send(securityToOperational, opening).reply).response
      _ = login.send(operationalToFullFeature, [])
      let refusal = login.machine.refuse(.sessionDoesNotExist).response
      for response in [greeting, refusal] {
        // 100 is the login's own CmdSN; no window reaches back further than 512.
        #expect(response.expCmdSN == (tsih == 0 ? SerialNumber(100) : SerialNumber(100) - 512))
        #expect(response.maxCmdSN == (tsih == 0 ? SerialNumber(100) : SerialNumber(100) - 513))
      }
    }
  }

  @Test("The session directory's refusal goes out instead of the final response")
  func directoryRefuses() {
    var login = LoginDialogue()
    login.tsih = 9
    _ = login.send(operationalToFullFeature, opening)
    let reply = login.machine.refuse(.sessionDoesNotExist)
    #expect(reply.response.status == .sessionDoesNotExist)
    #expect(!reply.response.isTransit)
    #expect(reply.text.isEmpty)
    #expect(login.send(operationalToFullFeature, opening) == .close)
  }

  @Test("A redirected target answers 0101 with the other address")
  func redirect() {
    var login = LoginDialogue()
    let action = login.send(
      securityToOperational,
      ["InitiatorName=\(initiatorName)", "TargetName=iqn.2026-01.org.example:moved"])
    #expect(action.status == .targetMovedTemporarily)
    #expect(action.answers == ["TargetAddress=192.168.1.9:3260"])
  }

  @Test("A policy that demands CRC32C refuses an initiator that stays without")
  func digestDemanded() {
    var policy = NegotiationPolicy()
    policy.dataDigests = [.crc32c]
    var login = LoginDialogue(OneTarget(policy: policy))
    let action = login.send(operationalToFullFeature, opening + ["DataDigest=None"])
    #expect(action.failure == .negotiation(.digestRequired("DataDigest")))
    #expect(action.status == .initiatorError)
  }

  @Test(
    "What the first request must bring",
    arguments: [
      (["TargetName=\(targetName)"], LoginStatus.missingParameter),
      (["InitiatorName=\(initiatorName)"], .missingParameter),
      ([], .missingParameter),
      (["InitiatorName=", "TargetName=\(targetName)"], .initiatorError),
      (["InitiatorName=a b", "TargetName=\(targetName)"], .initiatorError),
      (["InitiatorName=a\n", "TargetName=\(targetName)"], .initiatorError),
      (
        ["InitiatorName=" + String(repeating: "a", count: 224), "TargetName=\(targetName)"],
        .initiatorError
      ),
      (["InitiatorName=a", "SessionType=Boot"], .sessionTypeNotSupported),
    ])
  func firstRequest(keys: [String], status: LoginStatus) {
    var login = LoginDialogue()
    #expect(login.send(securityToOperational, keys).status == status)
    #expect(login.send(securityToOperational, keys) == .close)
  }
}
