internal import AdministrationModel
internal import FoundationEssentials
internal import Hummingbird
internal import NIOCore

/// One request, taken apart as its route says.
struct Call: Sendable {
  var administrator: any Administrator
  /// The names in the path, decoded.
  var parameters: [String: String]
  /// Only what the route knows.
  var query: [String: String]
  var body: Data
  var context: CallContext

  func name(_ parameter: String) throws(AdministrationError) -> String {
    guard let value = parameters[parameter] else {
      preconditionFailure("the path of the route has no {\(parameter)}")
    }
    return value
  }

  func number<Number: FixedWidthInteger>(
    _ parameter: String, _ type: Number.Type = Number.self
  ) throws(AdministrationError) -> Number {
    let text = try name(parameter)
    guard let number = Number(text) else {
      throw AdministrationError(.invalid, "\(text.shown) is not a number in range", path: parameter)
    }
    return number
  }

  /// `?force`, `?force=true`, `?force=1`; absent is false.
  func flag(_ key: String) throws(AdministrationError) -> Bool {
    switch query[key] {
    case nil, "false", "0": return false
    case "true", "1", "": return true
    case let other?:
      throw AdministrationError(.invalid, "\(other.shown) is not true or false", path: key)
    }
  }

  var options: ChangeOptions {
    get throws(AdministrationError) {
      ChangeOptions(
        force: try flag("force"), runtimeOnly: try flag("runtimeOnly"), now: try flag("now"),
        dryRun: try flag("dryRun"))
    }
  }

  func decoded<Value: Codable>(
    _ type: Value.Type = Value.self
  ) throws(AdministrationError) -> Value {
    try JSON.decode(type, from: body)
  }

  // MARK: What several routes name

  var entry: EntryKey {
    get throws(AdministrationError) {
      EntryKey(
        initiator: try name("initiator"),
        addresses: query["addresses"].map { $0.split(separator: ",").map(String.init) })
    }
  }

  /// Where the path says that users stand.
  var credentialPlace: CredentialPlace {
    get throws(AdministrationError) {
      guard let target = parameters["target"] else { return .discovery }
      guard parameters["initiator"] != nil else { return CredentialPlace(target: target) }
      return CredentialPlace(target: target, entry: try entry)
    }
  }

  func target() async throws(AdministrationError) -> TargetResource {
    try await administrator.target(try name("target"))
  }

  func entry(of target: TargetResource) throws(AdministrationError) -> AccessEntryResource {
    try target.entry(try entry)
  }
}

extension Optional where Wrapped: Sendable {
  func orMissing(_ what: String, _ name: String) throws(AdministrationError) -> Wrapped {
    guard let self else {
      throw AdministrationError(.notFound, "there is no \(what) \(name.shown)")
    }
    return self
  }
}

extension String {
  /// In quotes, without what could do harm on a terminal, and not endless.
  var shown: String {
    let clean = unicodeScalars.prefix(240).map { scalar in
      scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        ? "?" : String(scalar)
    }
    return "\"" + clean.joined() + (unicodeScalars.count > 240 ? "…" : "") + "\""
  }
}

/// What hummingbird carries along with a request.
struct CallContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  var channel: any Channel
  var departure = Departure()
  /// Whether the request would be served now, too: tokens may be others by then.
  var isAuthorized: @Sendable () -> Bool = { true }

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}
