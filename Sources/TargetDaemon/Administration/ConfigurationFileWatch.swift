internal import AdministrationModel
internal import Synchronization
internal import TargetConfig

/// What has become of the configuration file since it was last read or written here.
///
/// Somebody looks when somebody asks: one look at a time, on a thread that may hang with the disk.
/// A file whose inode, size and times are as before is not read again, unless something was wrong
/// with it, for that may be in a file with a secret. Who asks waits for a moment, then gets what
/// was found last, its path as well: to follow its links may hang, too.
final class ConfigurationFileWatch: Sendable {
  struct Finding: Sendable, Equatable {
    var state: ConfigurationFileState
    /// What is wrong with it, for people; nil: nothing.
    var reason: String?
    /// Where it, or a file that it names, is not, save --force does not write over it.
    var isReadable = true
  }

  /// How long who asks for the daemon's status waits for this part of it.
  private static let patience = Duration.milliseconds(50)

  private struct Known: Sendable {
    var finding: Finding
    var stamp: ConfigurationFile.Stamp?
    /// What it was compared with.
    var text: ConfigurationText
    var at: Timestamp
    /// Whether the look that found it has ended.
    var isFinal: Bool

    /// How long something wrong counts as looked at.
    private static let wrongMilliseconds: Int64 = 1000
    /// How old a file has to be when it is looked at, to say by its times that it is the same later
    /// on: the clocks of file systems are coarse.
    private static let settledMilliseconds: Int64 = 2000

    func counts(for stamp: ConfigurationFile.Stamp?, _ text: ConfigurationText, at now: Timestamp)
      -> Bool
    {
      guard isFinal, stamp == self.stamp, text == self.text else { return false }
      guard finding.state == .unchanged, let stamp else {
        let age = now.millisecondsSinceEpoch - at.millisecondsSinceEpoch
        return (0..<Self.wrongMilliseconds).contains(age)
      }
      let age = at.millisecondsSinceEpoch - stamp.changed.millisecondsSinceEpoch
      return age > Self.settledMilliseconds
    }
  }

  private struct State: Sendable {
    var known: Known?
    var isLooking = false
    /// Behind every link, where the last look found it; nil: there is no file.
    var path: String?
    /// A transaction is writing this, which does not count yet.
    var expected: ConfigurationText?
  }

  private let state: Mutex<State>

  /// Of a file that was just read.
  init(of file: ConfigurationFile?) { state = Mutex(State(path: file?.path)) }

  /// As the last look found it; nil: there is no file.
  var path: String? { state.withLock { $0.path } }

  /// The file is about to say `text` by a change; nil: that has been made, or has failed.
  func expect(_ text: ConfigurationText?) { state.withLock { $0.expected = text } }

  /// nil: nobody knows. `text`: what it said.
  func finding(
    of file: ConfigurationFile, since text: ConfigurationText, on media: MediaThreads
  ) async -> Finding? {
    let isLooking = state.withLock { state in
      defer { state.isLooking = true }
      return state.isLooking
    }
    if !isLooking {
      await media.answer(at: file.place, within: Self.patience) { [self] in
        look(at: file, since: text)
        state.withLock { $0.isLooking = false }
      }
    }
    return state.withLock { $0.known?.finding }
  }

  // MARK: Looking

  private func look(at file: ConfigurationFile, since text: ConfigurationText) {
    let path = file.path
    state.withLock { $0.path = path }
    let stamp = ConfigurationFile.Stamp(ofFileAt: file.name)
    let (known, expected) = state.withLock { ($0.known, $0.expected) }
    let now = Timestamp.current
    if let known, known.counts(for: stamp, text, at: now) { return }
    func note(_ finding: Finding, isFinal: Bool = true) {
      let known = Known(finding: finding, stamp: stamp, text: text, at: now, isFinal: isFinal)
      state.withLock { $0.known = known }
    }
    guard stamp != nil || !file.isMissing else {
      return note(Finding(state: .missing, reason: "is gone"))
    }
    let content: BoundedFile
    do throws(BoundedFile.ReadError) {
      content = try BoundedFile.read(
        file.name, byteCountMax: ConfigurationLoader.byteCountMax)
    } catch {
      return note(Finding(state: .invalid, reason: error.sentence, isReadable: false))
    }
    let isKnown = content.bytes == text.bytes || content.bytes == expected?.bytes
    // Of one that others may read it depends on what is in it whether it is taken.
    if isKnown, content.exposure(at: file.name) == nil {
      return note(Finding(state: .unchanged))
    }
    // Whether it is valid takes a while where it is large.
    if !isKnown { note(Finding(state: .edited), isFinal: false) }
    do throws(ConfigurationError) {
      _ = try ConfigurationLoader.load(file.name)
      note(Finding(state: isKnown ? .unchanged : .edited))
    } catch {
      let isReadable = !error.problems.contains { $0.kind == .unreadable }
      note(Finding(state: .invalid, reason: Self.words(of: error), isReadable: isReadable))
    }
  }

  /// The first problem, and how many more there are.
  private static func words(of error: ConfigurationError) -> String {
    guard let first = error.problems.first else { return "is not valid" }
    let place = first.path.isEmpty ? "" : "\(first.path): "
    let line = first.line.map { "line \($0): " } ?? ""
    let rest = error.problems.count - 1
    return "is not valid: \(line)\(place)\(first.sentence)" + (rest > 0 ? "; and \(rest) more" : "")
  }
}

extension ConfigurationFileWatch.Finding {
  /// What somebody ought to look at, with the next command.
  /// `path`: where it is now.
  func problem(with file: ConfigurationFile, at path: String?) -> StatusProblem? {
    let quoted = FilePath.shellQuoted(file.name)
    let words: String
    let remedy: String
    switch state {
    case .unchanged: return nil
    case .edited:
      words = "was edited since it was read"
      remedy = "swift-tgtadm config diff shows what swift-tgtadm config reload would change"
    case .invalid where !isReadable:
      words = reason ?? "cannot be read"
      remedy = "see to it; swift-tgtadm config check \(quoted) tells when it is good"
    case .invalid:
      words = reason ?? "is not valid"
      remedy =
        "swift-tgtadm config check \(quoted); swift-tgtadm config save --force writes what runs "
        + "over it"
    case .missing:
      words = "is gone"
      remedy = "put it back, or swift-tgtadm config save --force writes what runs"
    }
    return StatusProblem(
      "configuration file \(file.name) \(words)", file: path, remedy: remedy)
  }
}
