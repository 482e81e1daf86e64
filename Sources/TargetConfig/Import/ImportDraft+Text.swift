// The draft as a file of ours: what is the default is left out, so that what matters stands out.

extension ImportDraft {
  func text() -> String {
    "// Imported from a \(format.rawValue). It may hold secrets: keep its mode at 0600.\n" + body
      + "\n"
  }

  var body: String {
    var members: [(String, JSONText)] = []
    if !portals.isEmpty { members.append(("portals", .list(portals.map { $0.text(portals) }))) }
    if !stores.isEmpty {
      members.append(("stores", .object(stores.map { ($0.name, $0.text) })))
    }
    if !targets.isEmpty { members.append(("targets", .list(targets.map(\.target.text)))) }
    var login = credentials(discovery.chap)
    if let mutual = discovery.mutualChap { login.append(("mutualChap", mutual.text)) }
    if !login.isEmpty { members.append(("discovery", .object(login))) }
    return members.isEmpty ? "{}" : JSONText.object(members).rendered()
  }
}

private func credentials(
  _ users: [TargetConfiguration.Credential]
) -> [(String, JSONText)] {
  users.isEmpty ? [] : [("chap", .list(users.map(\.text)))]
}

extension TargetConfiguration.Portal {
  fileprivate func text(_ all: [TargetConfiguration.Portal]) -> JSONText {
    guard advertise != nil || all.contains(where: { $0.group != 1 }) else {
      return .text(endpoint.description)
    }
    var members: [(String, JSONText)] = [
      ("address", .text(endpoint.description)), ("group", .integer(Int64(group))),
    ]
    if let advertise { members.append(("advertise", .text(advertise.description))) }
    return .object(members)
  }
}

extension TargetConfiguration.Credential {
  fileprivate var text: JSONText {
    let text = JSONText.text(String(decoding: secret.bytes, as: UTF8.self))
    let file = secretFile.map { JSONText.object([("file", .text($0))]) }
    return .object([("user", .text(user)), ("secret", file ?? text)])
  }
}

extension TargetConfiguration.Store {
  fileprivate var text: JSONText {
    var members: [(String, JSONText)] = []
    switch medium {
    case .file(let path): members.append(("file", .text(path)))
    case .block(let path): members.append(("block", .text(path)))
    case .memory: members.append(("memory", .boolean(true)))
    case .null: members.append(("null", .boolean(true)))
    }
    if let sizeBytes { members.append(("size", .text(ByteSize.description(sizeBytes)))) }
    if let blockSize, medium.isBlock || blockSize != Self.standardBlockSize {
      members.append(("blockSize", .integer(Int64(blockSize))))
    }
    if let physicalBlockSize {
      members.append(("physicalBlockSize", .integer(Int64(physicalBlockSize))))
    }
    if cache != medium.standardCache { members.append(("cache", .text(cache.rawValue))) }
    if discard != .unmap { members.append(("discard", .text(discard.rawValue))) }
    if queueDepth != Self.standardQueueDepth {
      members.append(("queueDepth", .integer(Int64(queueDepth))))
    }
    if readOnly { members.append(("readOnly", .boolean(true))) }
    if let percent = thinThresholdPercent {
      members.append(("thinThreshold", .text("\(percent)%")))
    }
    if let percent = thinAvailableThresholdPercent {
      members.append(("thinAvailableThreshold", .text("\(percent)%")))
    }
    if let naa { members.append(("naa", .text(naa.description))) }
    if let serial { members.append(("serial", .text(serial))) }
    if removable { members.append(("removable", .boolean(true))) }
    if let rotationRate {
      members.append(
        ("rotationRate", rotationRate == 1 ? .text("none") : .integer(Int64(rotationRate))))
    }
    if vendor != Self.standardVendor { members.append(("vendor", .text(vendor))) }
    if product != Self.standardProduct { members.append(("product", .text(product))) }
    if servesLongCommands { members.append(("longCommands", .boolean(true))) }
    if servesReferrals { members.append(("referrals", .boolean(true))) }
    return .object(members)
  }
}

extension TargetConfiguration.LUN {
  /// Whether it is read-only is always said in an access list: there silence means "as the target".
  fileprivate func text(inAccessList: Bool) -> JSONText {
    var members: [(String, JSONText)] = [
      ("lun", .integer(Int64(number))), ("store", .text(store)),
    ]
    if readOnly || inAccessList { members.append(("readOnly", .boolean(readOnly))) }
    return .object(members)
  }
}

extension TargetConfiguration.AccessEntry {
  fileprivate var text: JSONText {
    var members: [(String, JSONText)] = [("initiator", .text(initiator ?? "any"))]
    if !addresses.isEmpty {
      members.append(("addresses", .list(addresses.map { .text($0.description) })))
    }
    members += credentials(chap)
    if let mutualChap { members.append(("mutualChap", mutualChap.text)) }
    if let luns { members.append(("luns", .list(luns.map { $0.text(inAccessList: true) }))) }
    if readOnly { members.append(("readOnly", .boolean(true))) }
    return .object(members)
  }
}

extension TargetConfiguration.Target {
  fileprivate var text: JSONText {
    var members: [(String, JSONText)] = [("name", .text(name))]
    if let alias { members.append(("alias", .text(alias))) }
    if let portalGroups {
      members.append(("portalGroups", .list(portalGroups.map(groupText))))
    }
    if explicitAlua { members.append(("explicitAlua", .boolean(true))) }
    if !luns.isEmpty {
      members.append(("luns", .list(luns.map { $0.text(inAccessList: false) })))
    }
    members += credentials(chap)
    if let mutualChap { members.append(("mutualChap", mutualChap.text)) }
    if !acl.isEmpty { members.append(("acl", .list(acl.map(\.text)))) }
    if isOpenToAny { members.append(("initiators", .text("any"))) }
    let differences = iscsi.differences
    if !differences.isEmpty { members.append(("iscsi", .object(differences))) }
    return .object(members)
  }

  private func groupText(_ group: UInt16) -> JSONText {
    guard let access = groupAccess.first(where: { $0.group == group }) else {
      return .integer(Int64(group))
    }
    return .object([
      ("tag", .integer(Int64(group))), ("state", .text(access.state.rawValue)),
      ("preferred", .boolean(access.isPreferred)),
    ])
  }
}

extension TargetConfiguration.Negotiation {
  /// Every key that is not at its default.
  fileprivate var differences: [(String, JSONText)] {
    let standard = Self.standard
    var members: [(String, JSONText)] = []
    func add(_ key: String, _ value: Int, _ usual: Int) {
      if value != usual { members.append((key, .integer(Int64(value)))) }
    }
    if headerDigest != standard.headerDigest {
      members.append(("headerDigest", .text(headerDigest.rawValue)))
    }
    if dataDigest != standard.dataDigest {
      members.append(("dataDigest", .text(dataDigest.rawValue)))
    }
    add("maxRecvDataSegmentLength", maxRecvDataSegmentLength, standard.maxRecvDataSegmentLength)
    add("maxBurstLength", maxBurstLength, standard.maxBurstLength)
    add("firstBurstLength", firstBurstLength, standard.firstBurstLength)
    if initialR2T != standard.initialR2T { members.append(("initialR2T", .boolean(initialR2T))) }
    if immediateData != standard.immediateData {
      members.append(("immediateData", .boolean(immediateData)))
    }
    add("maxOutstandingR2T", maxOutstandingR2T, standard.maxOutstandingR2T)
    add("maxConnections", maxConnections, standard.maxConnections)
    add("defaultTime2Wait", defaultTime2WaitSeconds, standard.defaultTime2WaitSeconds)
    add("defaultTime2Retain", defaultTime2RetainSeconds, standard.defaultTime2RetainSeconds)
    add("queueDepth", queueDepth, standard.queueDepth)
    add("nopInterval", nopIntervalSeconds, standard.nopIntervalSeconds)
    add("nopTimeout", nopTimeoutSeconds, standard.nopTimeoutSeconds)
    return members
  }
}
