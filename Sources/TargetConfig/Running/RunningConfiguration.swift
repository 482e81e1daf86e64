/// What a daemon runs by, beside what its file says: the same until a change is made to the one
/// alone.
///
/// A value: a change is worked out whole, may then be prepared for and written, and counts once it
/// is committed. Until then nothing has happened.
public struct RunningConfiguration: Sendable {
  /// What runs.
  public private(set) var current: LoadedConfiguration
  /// What the file said when it was last read or written.
  public private(set) var file: LoadedConfiguration

  /// A change that is worked out, and not made.
  public struct Change: Sendable {
    /// What is to run.
    public let running: LoadedConfiguration
    /// What the file is to say; nil: it stays.
    public let file: LoadedConfiguration?
    /// From what runs to what is to run. Who knows more of it than the texts say puts that here.
    public var difference: ConfigurationDifference
  }

  /// Where a change is made.
  public enum Scope: String, Sendable, CaseIterable {
    case running
    case runningAndFile
  }

  /// Just started from a file.
  public init(_ loaded: LoadedConfiguration) {
    current = loaded
    file = loaded
  }

  // MARK: Changes

  /// The same edits to what runs and to the file, each of which keeps what else it says.
  public func change(
    _ scope: Scope, by edits: (inout ConfigurationText) throws(ConfigurationEditError) -> Void
  ) throws(ConfigurationRefusal) -> Change {
    let running = try current.edited(by: edits)
    guard scope == .runningAndFile else { return change(to: running, file: nil) }
    guard file.text != current.text else { return change(to: running, file: running) }
    do throws(ConfigurationRefusal) {
      return change(to: running, file: try file.edited(by: edits))
    } catch {
      throw .onlyRunning(error)
    }
  }

  /// Brings what runs to a whole other text, and the file too where the scope says so.
  public func replacement(
    _ scope: Scope, by text: ConfigurationText
  ) throws(ConfigurationRefusal) -> Change {
    let running = try current.replaced(by: text)
    return change(to: running, file: scope == .running ? nil : running)
  }

  /// Brings what runs to what the file says now, as it was read anew.
  public func reload(_ file: LoadedConfiguration) -> Change {
    change(to: file, file: file)
  }

  /// Brings the file to what runs.
  public func save() -> Change { change(to: current, file: current) }

  private func change(to running: LoadedConfiguration, file: LoadedConfiguration?) -> Change {
    Change(
      running: running, file: file,
      difference: ConfigurationDifference(
        from: current.configuration, to: running.configuration))
  }

  /// The file says something else by now, which somebody wrote by hand; what runs stays.
  public mutating func note(file: LoadedConfiguration) { self.file = file }

  /// The change has been made.
  public mutating func commit(_ change: Change) {
    current = change.running
    if let file = change.file { self.file = file }
  }
}
