/// Prometheus text, exposition format 0.0.4.
struct MetricsText {
  enum Kind: String {
    case gauge, counter, histogram
  }

  private(set) var text = ""

  /// Begins a family; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(_ name: String, _ value: some BinaryInteger) {
    text += "\(name) \(value)\n"
  }

  mutating func sample(
    _ name: String, _ labels: KeyValuePairs<String, String>, _ value: some BinaryInteger
  ) {
    let written = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    text += "\(name){\(written)} \(value)\n"
  }

  /// `bounds` in seconds, ascending; one count more than bounds, for the rest.
  mutating func histogram(
    _ name: String, _ labels: [(String, String)], bounds: [Double], counts: [UInt64],
    sumSeconds: Double
  ) {
    let shared = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    var total: UInt64 = 0
    for (index, count) in counts.enumerated() {
      total &+= count
      let bound = bounds.indices.contains(index) ? "\(bounds[index])" : "+Inf"
      text += "\(name)_bucket{\(shared),le=\"\(bound)\"} \(total)\n"
    }
    text += "\(name)_sum{\(shared)} \(sumSeconds)\n\(name)_count{\(shared)} \(total)\n"
  }

  /// Backslashes, quotes and line ends.
  static func escaped(_ value: String) -> String {
    var text = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
