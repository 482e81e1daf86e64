internal import AdministrationModel

/// A CHAP user that may still be half known: targetcli sets its name and its secret one after the
/// other, and the daemon takes both at once.
struct CHAPUser: Equatable {
  var userid: String?
  var password: SecretText?
  /// The path of the file that the secret stands in, on the daemon's machine: it stays there,
  /// whether or not it could be read.
  private(set) var secretFile: String?
  /// The daemon has the secret, whether or not it was asked for it.
  private(set) var isHeld = false

  init(
    userid: String? = nil, password: SecretText? = nil, secretFile: String? = nil,
    isHeld: Bool = false
  ) {
    self.userid = userid
    self.password = password
    self.secretFile = secretFile
    self.isHeld = isHeld
  }

  private var hasSecret: Bool { password != nil || secretFile != nil }
  var isEmpty: Bool { userid == nil && !hasSecret }
  var isComplete: Bool { userid != nil && (hasSecret || isHeld) }

  /// A half of it is there without the other.
  var isHalf: Bool { !isComplete && (userid != nil || hasSecret || isHeld) }

  /// The daemon has a secret that is not known here.
  var isUnknown: Bool { userid != nil && !hasSecret && isHeld }

  /// nil while a half is missing, or known to the daemon alone.
  var specification: CredentialSpecification? {
    guard let userid else { return nil }
    if let secretFile { return CredentialSpecification(user: userid, secretFile: secretFile) }
    guard let password else { return nil }
    return CredentialSpecification(user: userid, secret: password)
  }

  mutating func set(userid value: String?) { userid = value }
  mutating func set(password value: SecretText?) {
    password = value
    secretFile = nil
    isHeld = false
  }
}

extension CHAPUser: Codable {
  private enum Key: CodingKey { case userid, password, secretFile }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    userid = try container.decodeIfPresent(String.self, forKey: .userid)
    password = try container.decodeIfPresent(SecretText.self, forKey: .password)
    secretFile = try container.decodeIfPresent(String.self, forKey: .secretFile)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(userid, forKey: .userid)
    try container.encodeIfPresent(password, forKey: .password)
    try container.encodeIfPresent(secretFile, forKey: .secretFile)
  }
}

/// The four values of an `auth` group.
struct Credentials: Codable, Equatable {
  var user = CHAPUser()
  /// With which the target proves itself.
  var mutual = CHAPUser()

  var isEmpty: Bool { user.isEmpty && mutual.isEmpty }

  /// The part that the daemon is given; the other waits. A mutual user holds with any user that
  /// initiators are asked for: with `user`, or with others that stand beside it.
  func served(besideOthers hasOthers: Bool) -> Credentials {
    let isMutual = mutual.isComplete && (user.isComplete || hasOthers)
    return Credentials(
      user: user.isComplete ? user : CHAPUser(), mutual: isMutual ? mutual : CHAPUser())
  }

  /// The part that the daemon is not given.
  func waiting(besideOthers hasOthers: Bool) -> Credentials {
    let served = served(besideOthers: hasOthers)
    return Credentials(
      user: served.user.isEmpty ? user : CHAPUser(),
      mutual: served.mutual.isEmpty ? mutual : CHAPUser())
  }

  /// Of the daemon where it has a user, else what waits.
  init(daemon users: [String], _ mutualUser: String?, waiting: Credentials?) {
    user = users.first.map { CHAPUser(userid: $0, isHeld: true) } ?? waiting?.user ?? CHAPUser()
    mutual =
      mutualUser.map { CHAPUser(userid: $0, isHeld: true) } ?? waiting?.mutual ?? CHAPUser()
  }

  init(user: CHAPUser = CHAPUser(), mutual: CHAPUser = CHAPUser()) {
    self.user = user
    self.mutual = mutual
  }

  static let parameters = ["mutual_password", "mutual_userid", "password", "userid"]

  /// By the name that targetcli has for it.
  subscript(parameter: String) -> String? {
    get {
      switch parameter {
      case "userid": user.userid
      case "password": user.password?.reveal
      case "mutual_userid": mutual.userid
      case "mutual_password": mutual.password?.reveal
      default: nil
      }
    }
    set {
      let value = newValue.flatMap { $0.isEmpty ? nil : $0 }
      switch parameter {
      case "userid": user.set(userid: value)
      case "password": user.set(password: value.map { SecretText($0) })
      case "mutual_userid": mutual.set(userid: value)
      case "mutual_password": mutual.set(password: value.map { SecretText($0) })
      default: break
      }
    }
  }
}
