// A saveconfig.json of our targetcli also holds our own configuration, so that it comes back as it
// was. It counts as long as nobody has edited the part that LIO knows.

extension LIOIdentity {
  /// The configuration under `ownKey`, as text: portals, stores, targets and discovery.
  public static let configurationKey = "configuration"
  /// The fingerprint of the rest under `ownKey`.
  public static let fingerprintKey = "fingerprint"
  /// Under `ownKey`, by `accessKey`: from where initiators must come, which LIO never asks.
  public static let addressesKey = "addresses"
  /// Parts the addresses of one initiator.
  public static let addressSeparator = ", "

  /// However the names are written.
  public static func accessKey(target: String, initiator: String) -> String {
    ISCSIName.normalized("\(target) \(initiator)")
  }

  /// Of all in a saveconfig.json but what stands under `ownKey`: the same for the same values in
  /// the same lists, however they are written. Finds edits, not attacks. nil: this is no JSON.
  public static func fingerprint(of text: String) -> String? {
    guard let root = try? DocumentReader.read(Array(text.utf8)) else { return nil }
    return fingerprint(of: root)
  }

  static func fingerprint(of root: DocumentValue) -> String {
    var rest = root
    if case .object(let members) = root.content {
      rest.content = .object(members.filter { $0.key != ownKey })
    }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
    for byte in rest.canonical.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }
}

extension DocumentValue {
  /// One line for one value, keys in order.
  fileprivate var canonical: String {
    switch content {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .number(let number): return number.integer.map { "\($0)" } ?? number.spelling
    case .text(let text): return JSONText.text(text).rendered()
    case .list(let values): return "[" + values.map(\.canonical).joined(separator: ",") + "]"
    case .object(let members):
      let lines = members.sorted { $0.key < $1.key }.map { member in
        JSONText.text(member.key).rendered() + ":" + member.value.canonical
      }
      return "{" + lines.joined(separator: ",") + "}"
    }
  }
}

extension TargetConfiguration {
  /// What is served, as a file of ours that loads by itself: portals, stores, targets and discovery
  /// with their secrets.
  public var servedText: String {
    var draft = ImportDraft(fileName: "", format: .saveconfig)
    draft.take(self)
    return draft.body
  }
}

// MARK: Reading

extension SaveconfigImporter {
  /// Takes our own configuration as a whole. False: the file says something else meanwhile, or has
  /// none.
  mutating func takeOwn(_ root: DocumentNode) -> Bool {
    guard let own = root[LIOIdentity.ownKey], let node = own[LIOIdentity.configurationKey] else {
      return false
    }
    do throws(ConfigurationError) {
      ownConfiguration = try ConfigurationLoader.look(at: node.text ?? "", file: nil)
    } catch {
      note(
        node,
        "the configuration of swift-tgtd that stands here cannot be read, and what LIO knows of it "
          + "counts: \(error)")
      return false
    }
    guard let ownConfiguration,
      own[LIOIdentity.fingerprintKey]?.text == LIOIdentity.fingerprint(of: root.value)
    else {
      note(
        node,
        "this file was edited since it was written, so what LIO has words for counts. What it has "
          + "none for stays as it was written, where what it belongs to is still here")
      return false
    }
    draft.take(ownConfiguration)
    return true
  }

  /// From where the initiator, in lower case, must come; nil: that cannot be said, and it must not
  /// get in.
  mutating func addresses(of initiator: String, _ node: DocumentNode) -> [AddressPattern]? {
    let key = LIOIdentity.accessKey(target: targetName ?? "", initiator: initiator)
    guard let text = addressesByKey[key] else {
      if initiator == "any" {
        note(
          node,
          "\"any\" is no initiator of LIO, and the addresses that it stood for are not here: left "
            + "out")
        return nil
      }
      guard mayBeRestricted(initiator) else { return [] }
      tellUncertain(initiator, node)
      return nil
    }
    let patterns = text.split(separator: ",").map { part in
      addressPattern(String(part.drop { $0 == " " }), node)
    }
    let known = patterns.compactMap { $0 }
    guard !known.isEmpty, known.count == patterns.count else {
      tellUncertain(initiator, node)
      return nil
    }
    return known
  }

  /// Addresses were asked of it at another target, which may be this one by its former name.
  private func mayBeRestricted(_ initiator: String) -> Bool {
    let own = (ownTarget?.acl ?? []).filter { $0.initiator == initiator }
    guard own.isEmpty else { return own.contains { !$0.addresses.isEmpty } }
    return addressesByKey.keys.contains { $0.hasSuffix(" \(initiator)") }
  }

  private mutating func tellUncertain(_ initiator: String, _ node: DocumentNode) {
    note(
      node,
      "\(initiator.quoted) was let in from some addresses only, and this file does not say from "
        + "which any more: left out; add it with them")
  }

  private mutating func addressPattern(_ text: String, _ node: DocumentNode) -> AddressPattern? {
    draft.addressPattern(text, place(node))
  }
}
