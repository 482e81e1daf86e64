internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// Where a secret comes from: never from arguments, which every process of the machine can read.
enum SecretSource {
  /// Of a file with a secret: much more than any has.
  private static let byteCountMax = 4096

  /// The only line of a file.
  static func read(_ path: String, _ console: any Console) throws -> SecretText {
    let file: BoundedFile
    do throws(BoundedFile.ReadError) {
      file = try BoundedFile.read(path, byteCountMax: byteCountMax)
    } catch {
      throw Refusal(.noInput, "\(path): \(error.sentence)")
    }
    if let exposure = file.exposure(at: path) {
      console.complain(["warning: \(path) \(exposure.sentence): \(exposure.remedy)"])
    }
    guard var text = String(validating: file.bytes, as: UTF8.self) else {
      throw Refusal(.data, "\(path): is not UTF-8 text")
    }
    // As one character, CR LF is neither of them.
    if text.unicodeScalars.last == "\n" { text.unicodeScalars.removeLast() }
    if text.unicodeScalars.last == "\r" { text.unicodeScalars.removeLast() }
    return try checked(text, from: path)
  }

  /// Asked for twice where somebody types it unseen; else one line of standard input.
  static func ask(for user: String, _ console: any Console) throws -> SecretText {
    guard console.canAsk else {
      guard let line = console.readLine() else {
        throw Refusal(.data, "standard input holds no secret: give one line, or --secret-file")
      }
      // Whoever gives two may mean the other.
      guard console.readLine() == nil else { throw severalLines("standard input") }
      return try checked(line, from: "standard input")
    }
    console.complain("Secret of \(user.printable): ")
    let first = console.readHidden()
    guard let first else { throw Refusal(.data, "given up: nothing was changed") }
    console.complain("The same again: ")
    guard console.readHidden() == first else {
      throw Refusal(.data, "these are two secrets: nothing was changed")
    }
    return try checked(first, from: "the secret")
  }

  /// Whether it is long enough the daemon says; what no secret can be is said here, without it.
  private static func checked(_ text: String, from source: String) throws -> SecretText {
    guard !text.isEmpty else { throw Refusal(.data, "\(source): is empty") }
    guard !text.unicodeScalars.contains(where: { $0 == "\n" }) else { throw severalLines(source) }
    let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard isPlain else { throw Refusal(.data, "\(source): holds a control character") }
    return SecretText(text)
  }

  private static func severalLines(_ source: String) -> Refusal {
    Refusal(.data, "\(source): more than one line: a secret is one line alone")
  }
}
