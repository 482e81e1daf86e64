internal import AdministrationModel
internal import FoundationEssentials
internal import TargetConfig

// Of a saveconfig.json: whom a target would let in, if it let somebody in.

extension Notes {
  /// As our saveconfig.json has them beside what LIO knows.
  init(ofSaveconfig text: String) throws(ExecutionError) {
    guard let root = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)),
      case .object(let members) = root, case .object(let own)? = members[LIOIdentity.ownKey],
      let data = try? JSONEncoder().encode(own["notes"] ?? .null),
      let notes = try? JSONDecoder().decode(Notes.self, from: data)
    else { throw ExecutionError("The notes in the file cannot be understood.") }
    self = notes
  }
}

extension Notes.OfTarget {
  init(_ access: WithheldAccess) {
    // `authentication` holds for all of the list, and would let in or shut out who is an exception.
    if access.isMixed {
      newcomersWait = access.asksUsers ? true : nil
    } else {
      authentication = access.asksUsers
    }
    isDisabled = access.isDisabled
    hasNoPortals = access.hasNoPortals
    if access.isOpenToAny {
      generateNodeACLs = true
      demoModeWriteProtect = false
    }
    for entry in access.entries { take(entry) }
    for entry in access.userless { take(entry, waitsForUser: access.isMixed ? true : nil) }
  }

  private mutating func take(
    _ entry: TargetConfiguration.AccessEntry, waitsForUser: Bool? = nil
  ) {
    if let initiator = entry.initiator {
      var acl = NodeACL(entry, initiator)
      acl.waitsForUser = waitsForUser
      acls.append(acl)
    } else if entry.addresses.isEmpty {
      generateNodeACLs = true
      demoModeWriteProtect = entry.readOnly
      auth = Credentials(entry)
      everybodyLUNs = entry.luns?.map(MappedLUN.init)
    }
  }
}

extension NodeACL {
  fileprivate init(_ entry: TargetConfiguration.AccessEntry, _ initiator: String) {
    self.init(initiator)
    addresses = entry.addresses.map(\.description)
    auth = Credentials(entry)
    luns = entry.luns?.map(MappedLUN.init)
    isReadOnly = entry.readOnly
  }
}

extension MappedLUN {
  fileprivate init(_ lun: TargetConfiguration.LUN) {
    self.init(lun.number, lun.store, isReadOnly: lun.readOnly)
  }
}

extension Credentials {
  fileprivate init(_ entry: TargetConfiguration.AccessEntry) {
    self.init(
      user: entry.chap.first.map { CHAPUser($0) } ?? CHAPUser(),
      mutual: entry.mutualChap.map { CHAPUser($0) } ?? CHAPUser())
  }
}

extension CHAPUser {
  /// A secret in a file that could not be read is empty.
  init(_ user: TargetConfiguration.Credential, isHeld: Bool = false) {
    let secret = String(decoding: user.secret.bytes, as: UTF8.self)
    self.init(
      userid: user.user, password: secret.isEmpty ? nil : SecretText(secret),
      secretFile: user.secretFile, isHeld: isHeld)
  }
}
