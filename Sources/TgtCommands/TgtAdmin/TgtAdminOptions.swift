/// The command line of tgt-admin. Its options are Perl's: a long one may have one dash, and may be
/// abbreviated; one that is not known is told, and the rest counts.
struct TgtAdminOptions: Equatable {
  /// What is done, the first of these that was asked for.
  enum Action: Equatable {
    case help, show, execute
    case delete(String)
    case update(String)
    case dump
    case setState(String, of: String)
    case nothing
    case contradiction
  }

  var action = Action.help
  var configurationPath: String?
  var controlPort = "0"
  var ignoresErrors = false
  var isForced = false
  var isPretended = false
  var isVerbose = false
  private(set) var complaints: [String] = []

  private static let flags = [
    "execute": "e", "show": "s", "ignore-errors": "", "force": "f", "pretend": "p", "dump": "",
    "verbose": "v", "help": "h",
  ]
  private static let values = [
    "delete": "", "offline": "", "ready": "", "update": "", "conf": "c", "control-port": "C",
  ]

  init(_ arguments: [String]) {
    guard !arguments.isEmpty else { return }
    var found: [String: String] = [:]
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("-"), argument != "-", argument != "--" else {
        if argument == "--" { rest = [] }
        continue
      }
      let body = argument.drop { $0 == "-" }
      let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let word = String(parts.first ?? "")
      guard let name = Self.name(word) else {
        complaints.append("Unknown option: \(word)")
        continue
      }
      if Self.flags[name] != nil {
        found[name] = ""
      } else if let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() {
        found[name] = value
      } else {
        complaints.append("Option \(word) requires an argument")
      }
    }
    take(found)
  }

  private static func name(_ word: String) -> String? {
    let all = flags.merging(values) { one, _ in one }
    if let exact = all.first(where: { $0.key == word || $0.value == word && !word.isEmpty }) {
      return exact.key
    }
    let possible = all.keys.filter { !word.isEmpty && $0.hasPrefix(word) }
    return possible.count == 1 ? possible.first : nil
  }

  private mutating func take(_ found: [String: String]) {
    configurationPath = found["conf"]
    controlPort = found["control-port"] ?? "0"
    ignoresErrors = found["ignore-errors"] != nil
    isForced = found["force"] != nil
    isPretended = found["pretend"] != nil
    isVerbose = found["verbose"] != nil
    action = Self.action(found)
  }

  private static func action(_ found: [String: String]) -> Action {
    if found["help"] != nil { return .help }
    if found["show"] != nil { return .show }
    if found["execute"] != nil { return .execute }
    if let which = found["delete"] { return .delete(which) }
    if let which = found["update"] { return .update(which) }
    if found["dump"] != nil { return .dump }
    switch (found["offline"], found["ready"]) {
    case (.some, .some): return .contradiction
    case (let which?, nil): return .setState("offline", of: which)
    case (nil, let which?): return .setState("ready", of: which)
    case (nil, nil): return .nothing
    }
  }
}
