internal import CEditLine
internal import Glibc
internal import Synchronization

/// libedit, of which a process has one.
enum LineEditor {
  private struct Completion {
    var candidates: @Sendable (_ line: String) -> [String] = { _ in [] }
    var found: [String] = []
  }

  private static let completion = Mutex(Completion())

  /// `candidates` are for the last word of the line up to the cursor.
  static func complete(_ candidates: @escaping @Sendable (_ line: String) -> [String]) {
    completion.withLock { $0.candidates = candidates }
  }

  static func start(name: String, historyPath: String) {
    // libedit keeps the name.
    unsafe ceditline_start(strdup(name)) { line, _, index in
      guard let line = unsafe line else { return nil }
      let candidate = unsafe LineEditor.candidate(String(cString: line), Int(index))
      return unsafe candidate.flatMap { unsafe strdup($0) }
    }
    unsafe _ = ceditline_read_history(historyPath)
  }

  static func keepHistory(at path: String) {
    let mask = umask(0o077)
    unsafe _ = ceditline_write_history(path, historyLinesMax)
    _ = umask(mask)
  }

  /// As many as a person looks back on.
  private static let historyLinesMax: Int32 = 1000

  static func read(prompt: String) -> String? {
    guard let line = unsafe ceditline_read(prompt) else { return nil }
    defer { unsafe free(line) }
    return unsafe String(cString: line)
  }

  private static func candidate(_ line: String, _ index: Int) -> String? {
    completion.withLock { completion in
      if index == 0 { completion.found = completion.candidates(line) }
      return completion.found.indices.contains(index) ? completion.found[index] : nil
    }
  }
}
