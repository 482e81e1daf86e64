internal import CommandSupport

/// One thing that doctor looked at, and what it found.
struct Examination {
  /// What was looked at, in a few words.
  var subject: String
  /// None: all is well.
  var findings: [Diagnosis]

  init(_ subject: String, _ findings: [Diagnosis] = []) {
    self.subject = subject
    self.findings = findings
  }
}

/// Something that somebody ought to know.
struct Diagnosis: Encodable, Equatable {
  enum Level: String, Encodable {
    /// Somebody has to do something.
    case wrong
    /// It may be meant so.
    case advice
  }

  var level: Level
  /// One sentence each, without the point.
  var what: String
  var why: String
  /// What to do.
  var remedy: String

  static func wrong(_ what: String, why: String, remedy: String) -> Diagnosis {
    Diagnosis(level: .wrong, what: what, why: why, remedy: remedy)
  }

  static func advice(_ what: String, why: String, remedy: String) -> Diagnosis {
    Diagnosis(level: .advice, what: what, why: why, remedy: remedy)
  }
}

/// All that doctor has to say.
struct DoctorReport: Encodable {
  private enum CodingKeys: CodingKey { case wrong, advice, examined, findings }

  var examinations: [Examination]

  var findings: [Diagnosis] { examinations.flatMap(\.findings) }
  var wrongCount: Int { findings.count { $0.level == .wrong } }
  var adviceCount: Int { findings.count { $0.level == .advice } }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(wrongCount, forKey: .wrong)
    try container.encode(adviceCount, forKey: .advice)
    try container.encode(examinations.map(\.subject), forKey: .examined)
    try container.encode(findings, forKey: .findings)
  }

  func text(hasColors: Bool) -> String {
    let lines = examinations.map { examination in
      examination.findings.isEmpty
        ? "ok      \(examination.subject)\n"
        : examination.findings.map { Self.paragraph($0, hasColors: hasColors) }.joined()
    }
    return lines.joined() + "\n" + summary + "\n"
  }

  private static func paragraph(_ finding: Diagnosis, hasColors: Bool) -> String {
    let isWrong = finding.level == .wrong
    let word = isWrong ? "WRONG" : "advice"
    let shown = hasColors && isWrong ? "\u{1B}[31m\(word)\u{1B}[0m" : word
    let padding = String(repeating: " ", count: 8 - word.count)
    return "\(shown)\(padding)\(finding.what.printable)\n"
      + "        why:  \(finding.why.printable)\n"
      + "        do:   \(finding.remedy.printable)\n"
  }

  private var summary: String {
    guard !findings.isEmpty else { return "Nothing is wrong." }
    return "\(wrongCount) wrong, \(adviceCount) advice."
  }
}
