/// Every secret of the file by its place, to compare the two directions with each other.
struct SecretLedger {
  var incoming: [(place: DocumentNode, secret: Secret)] = []
  var outgoing: [(place: DocumentNode, secret: Secret)] = []
  /// The first secret that stands in the configuration file itself.
  var firstInline: DocumentNode?
}

extension DocumentNode {
  /// Whether a list is absent or empty. A list of broken elements is neither.
  func hasNone(_ key: String) -> Bool {
    guard let list = self[key] else { return true }
    if case .list(let elements) = list.value.content { return elements.isEmpty }
    return false
  }
}

extension ConfigurationBuilder {
  /// A secret and its line break; anything longer is some other file.
  private static let secretFileByteCountMax = 4096

  /// Users that prove themselves to the target.
  mutating func credentials(_ list: DocumentNode?) -> [TargetConfiguration.Credential] {
    var credentials: [TargetConfiguration.Credential] = []
    for node in list?.elements ?? [] {
      guard let (credential, place) = credential(node) else { continue }
      ledger.incoming.append((place, credential.secret))
      if credentials.contains(where: { $0.user == credential.user }) {
        report.error(
          node["user"] ?? node, "the user \(credential.user.quoted) stands in this list twice")
      } else {
        credentials.append(credential)
      }
    }
    return credentials
  }

  /// The user with which the target proves itself.
  mutating func outgoingCredential(_ node: DocumentNode?) -> TargetConfiguration.Credential? {
    guard let node, let (credential, place) = credential(node) else { return nil }
    ledger.outgoing.append((place, credential.secret))
    return credential
  }

  mutating func reportUselessMutual(_ node: DocumentNode) {
    report.error(
      node,
      "needs \"chap\" too: a target proves itself only to an initiator that has to prove "
        + "itself (RFC 7143 §12.1.3)")
  }

  private mutating func credential(
    _ node: DocumentNode
  ) -> (TargetConfiguration.Credential, DocumentNode)? {
    guard let place = node["secret"], let secret = secret(place) else { return nil }
    let count = secret.bytes.count
    if count > 0, count < Secret.recommendedByteCountMin {
      let length = count == 1 ? "1 byte" : "\(count) bytes"
      report.warning(
        place,
        "the secret has \(length): RFC 7143 §9.2.1 asks for at least "
          + "\(Secret.recommendedByteCountMin), some initiators refuse less")
    }
    guard let user = node["user"]?.text else { return nil }
    let file = place["file"]?.text.map { resolve($0) }
    return (
      TargetConfiguration.Credential(user: user, secret: secret, secretFile: file), place
    )
  }

  private mutating func secret(_ node: DocumentNode) -> Secret? {
    if let text = node.text {
      if ledger.firstInline == nil { ledger.firstInline = node }
      return text.isEmpty ? nil : Secret(text)
    }
    guard let place = node["file"], let path = place.text else { return nil }
    return secret(inFile: resolve(path), place)
  }

  private mutating func secret(inFile path: String, _ place: DocumentNode) -> Secret? {
    guard !context.isLook else {
      let file = try? BoundedFile.read(path, byteCountMax: Self.secretFileByteCountMax)
      return Secret(bytes: Self.withoutLineBreak(file?.bytes ?? []))
    }
    do throws(BoundedFile.ReadError) {
      let file = try BoundedFile.read(path, byteCountMax: Self.secretFileByteCountMax)
      if context.permissions == .checked, let exposure = file.exposure(at: path) {
        report.error(
          place,
          "\(path.quoted) \(exposure.sentence), others can get at the secret: "
            + "run \"\(exposure.remedy)\"")
      }
      let bytes = Self.withoutLineBreak(file.bytes)
      if let problem = Self.problem(inSecret: bytes) {
        report.error(place, "\(path.quoted) \(problem)")
        return nil
      }
      return Secret(bytes: bytes)
    } catch {
      guard context.isForElsewhere, error.isMissing else {
        report.error(
          place, "\(path.quoted) \(error.sentence)", error.isOfSystem ? .unreadable : .invalid)
        return nil
      }
      report.warning(
        place, "not found: \(path.quoted): swift-tgtd does not start without this file")
      return Secret(bytes: [])
    }
  }

  private static func withoutLineBreak(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes[...]
    if bytes.last == UInt8(ascii: "\n") {
      bytes.removeLast()
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }
    return Array(bytes)
  }

  private static func problem(inSecret bytes: [UInt8]) -> String? {
    if bytes.isEmpty { return "is empty: write the secret into it, \(Secret.advisedForm)" }
    if bytes.contains(where: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }) {
      return "holds more than one line: a secret is \(Secret.advisedForm)"
    }
    if bytes.count > Secret.byteCountMax {
      return "holds a secret of \(bytes.count) bytes: at most \(Secret.byteCountMax) are possible"
    }
    return nil
  }

  /// RFC 7143 §9.2.1: with one secret for both directions an attacker answers the target's
  /// challenge with the target's own response, from any session of this daemon.
  mutating func checkSecrets() {
    guard !context.isLook else { return }
    var places: [[UInt8]: DocumentNode] = [:]
    for (place, secret) in ledger.incoming
    where !secret.bytes.isEmpty && places[secret.bytes] == nil {
      places[secret.bytes] = place
    }
    for (place, secret) in ledger.outgoing {
      guard let other = places[secret.bytes] else { continue }
      report.error(
        place,
        "is the same secret as \(other.path) of line \(other.line): the two directions "
          + "need different secrets (RFC 7143 §9.2.1)")
    }
    guard context.permissions == .checked, let path = context.path, let file = context.file,
      let inline = ledger.firstInline, let exposure = file.exposure(at: path)
    else { return }
    report.error(
      inline,
      "\(path.quoted) holds secrets and \(exposure.sentence), others can get at "
        + "them: run \"\(exposure.remedy)\"")
  }
}
