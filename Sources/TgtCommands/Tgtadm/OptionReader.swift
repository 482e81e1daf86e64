/// An option as getopt_long(3) has them.
struct OptionDescription: Sendable {
  let short: Character
  let long: String
  let takesValue: Bool
  /// Two options of tgtadm take a value in their short form alone.
  let shortTakesValue: Bool

  init(_ short: Character, _ long: String, value: Bool = true, shortValue: Bool? = nil) {
    self.short = short
    self.long = long
    takesValue = value
    shortTakesValue = shortValue ?? value
  }
}

/// A reader of arguments with the rules, and the complaints, of getopt_long(3): short options may
/// stand together and hold their values, long ones may be abbreviated, and what is no option may
/// stand anywhere.
struct OptionReader {
  struct Option: Equatable {
    var short: Character
    var value: String?
  }

  /// In words that follow the name of the program.
  struct Complaint: Error, Equatable {
    var sentence: String
  }

  private let descriptions: [OptionDescription]
  private var rest: ArraySlice<String>
  /// Short options of an argument that stood together.
  private var cluster: Substring = ""
  private(set) var operands: [String] = []

  init(_ descriptions: [OptionDescription], _ arguments: [String]) {
    self.descriptions = descriptions
    rest = arguments[...]
  }

  /// nil at the end; `operands` are complete then.
  mutating func next() throws(Complaint) -> Option? {
    if !cluster.isEmpty { return try nextShort() }
    while let argument = rest.popFirst() {
      if argument == "--" {
        operands += rest
        rest = []
      } else if argument.hasPrefix("--") {
        return try long(argument.dropFirst(2))
      } else if argument.hasPrefix("-"), argument != "-" {
        cluster = argument.dropFirst()
        return try nextShort()
      } else {
        operands.append(argument)
      }
    }
    return nil
  }

  private mutating func nextShort() throws(Complaint) -> Option {
    let letter = cluster.removeFirst()
    guard let description = descriptions.first(where: { $0.short == letter }) else {
      throw Complaint(sentence: "invalid option -- '\(letter)'")
    }
    guard description.shortTakesValue else { return Option(short: letter) }
    if !cluster.isEmpty {
      defer { cluster = "" }
      return Option(short: letter, value: String(cluster))
    }
    guard let value = rest.popFirst() else {
      throw Complaint(sentence: "option requires an argument -- '\(letter)'")
    }
    return Option(short: letter, value: value)
  }

  private mutating func long(_ text: Substring) throws(Complaint) -> Option {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first ?? ""
    let given = parts.count == 2 ? String(parts[1]) : nil
    let description = try description(name)
    guard description.takesValue else {
      guard given == nil else {
        throw Complaint(sentence: "option '--\(description.long)' doesn't allow an argument")
      }
      return Option(short: description.short)
    }
    guard let value = given ?? rest.popFirst() else {
      throw Complaint(sentence: "option '--\(description.long)' requires an argument")
    }
    return Option(short: description.short, value: value)
  }

  private func description(_ name: Substring) throws(Complaint) -> OptionDescription {
    if let exact = descriptions.first(where: { $0.long == name }) { return exact }
    let possible = descriptions.filter { $0.long.hasPrefix(name) }
    guard let first = possible.first else {
      throw Complaint(sentence: "unrecognized option '--\(name)'")
    }
    guard possible.count == 1 else {
      let names = possible.map { "'--\($0.long)'" }.joined(separator: " ")
      throw Complaint(sentence: "option '--\(name)' is ambiguous; possibilities: \(names)")
    }
    return first
  }
}
