/// The daemon's own files, by their paths: none of them is ever served as a disk, whose initiators
/// could read secrets, and write over identities and fences.
public struct OwnFiles: Sendable {
  /// What each of those is that the daemon writes itself, by its path.
  public private(set) var keptRoles: [String: String] = [:]
  /// The same of those that people give it: secrets, and what identifies it to its callers.
  public private(set) var givenRoles: [String: String] = [:]
  private let stateDirectory: String
  /// How every path begins that is below.
  private let stateStart: String
  /// Nil: it stands in no file.
  private let configurationFile: String?

  /// `file`: the path of the configuration; nil: it stands in no file.
  public init(of configuration: TargetConfiguration, file: String?) {
    self.init(stateDirectory: configuration.stateDirectory, configurationFile: file)
    for path in configuration.credentials.compactMap(\.secretFile) {
      givenRoles[path] = "the file of a secret"
    }
    if let listener = configuration.admin.listener {
      givenRoles[listener.certificate] = "the certificate of admin.listener"
      givenRoles[listener.key] = "the key of admin.listener"
      givenRoles[listener.tokens] = "the tokens of admin.listener"
    }
    keptRoles[configuration.admin.socket] = "the administration socket"
    if let file { addConfiguration(file) }
  }

  private init(stateDirectory: String, configurationFile: String?) {
    self.stateDirectory = stateDirectory
    stateStart = stateDirectory + "/"
    self.configurationFile = configurationFile
  }

  /// What lies beside it when it has been, or is being, rewritten is as secret as the file.
  private mutating func addConfiguration(_ path: String) {
    keptRoles[path] = "the configuration file"
    keptRoles[path + Self.copySuffix] = "the copy of the configuration file"
    let directory = FilePath.directory(of: path)
    let name = String(path.split(separator: "/").last ?? "")
    keptRoles[FilePath.resolve(Self.temporaryName(of: name), against: directory)] =
      "the temporary file of the configuration"
  }

  /// Those that it writes, under the names that `real` gives them.
  public func kept(renamedBy real: (String) -> String) -> OwnFiles {
    var renamed = OwnFiles(
      stateDirectory: real(stateDirectory), configurationFile: configurationFile.map(real))
    for (path, role) in keptRoles { renamed.keptRoles[real(path)] = role }
    return renamed
  }

  /// What the daemon has at the path; nil: it is not the daemon's.
  public func role(of path: String) -> String? {
    if let role = keptRoles[path] ?? givenRoles[path] { return role }
    if let configurationFile, path.hasPrefix(configurationFile + Self.rejectedInfix) {
      return "a rejected copy of the configuration file"
    }
    guard path == stateDirectory || isState(path) else { return nil }
    return "in the state directory \(stateDirectory.quoted)"
  }

  /// What else is there is somebody else's: the directory may be one of a volume that moves between
  /// hosts, with the disks.
  private func isState(_ path: String) -> Bool {
    guard path.hasPrefix(stateStart) else { return false }
    return Self.stateNames.contains(String(path.dropFirst(stateStart.count).prefix { $0 != "/" }))
  }

  /// What the daemon makes in the state directory, and may make there.
  public static let stateNames: Set<String> = [
    "identities", "identities.new", "latched", "lock", "parameters", "reservations", "wipes",
  ]

  // MARK: Names beside the configuration file

  /// Of what it said before.
  public static let copySuffix = "~"

  /// Between its name and the time when what it said was rejected, and kept.
  public static let rejectedInfix = ".rejected-"

  /// Of what is to replace it; `name`: its own, without a directory.
  public static func temporaryName(of name: String) -> String { ".\(name).swift-tgtd" }

  /// Completes "<path> …".
  public static func refusal(of role: String) -> String {
    "is \(role), and initiators could read it and write over it: give the store another path"
  }
}

extension TargetConfiguration {
  /// Of all users, in either direction.
  fileprivate var credentials: [Credential] {
    var all = discovery.chap
    if let user = discovery.mutualChap { all.append(user) }
    for target in targets {
      all += target.chap
      if let user = target.mutualChap { all.append(user) }
      for entry in target.acl {
        all += entry.chap
        if let user = entry.mutualChap { all.append(user) }
      }
    }
    return all
  }
}
