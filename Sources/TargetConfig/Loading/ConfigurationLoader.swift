/// A valid configuration with what is worth saying about it.
public struct LoadedConfiguration: Sendable {
  public var configuration: TargetConfiguration
  /// In the order of the file.
  public var warnings: [ConfigurationProblem]
  /// As the user named it.
  public var fileName: String
  /// What it was read from.
  public let text: ConfigurationText
  /// How it was read.
  let context: LoadingContext

  /// Where it stands, absolute; nil: in no file.
  public var filePath: String? { context.filePath }

  /// What the file would mean after `edits`; it stays as it is.
  public func edited(
    by edits: (inout ConfigurationText) throws(ConfigurationEditError) -> Void
  ) throws(ConfigurationRefusal) -> LoadedConfiguration {
    var text = text
    do throws(ConfigurationEditError) { try edits(&text) } catch { throw .edit(error) }
    return try replaced(by: text)
  }

  /// What the file would mean with another text.
  public func replaced(
    by text: ConfigurationText
  ) throws(ConfigurationRefusal) -> LoadedConfiguration {
    do throws(ConfigurationError) {
      return try ConfigurationLoader.load(
        text, fileName: fileName, context: context.ofText, after: self)
    } catch {
      throw .invalid(error)
    }
  }

  /// A problem that only shows later, such as a missing device, with its place in the file.
  public func problem(
    _ kind: ConfigurationProblem.Kind = .invalid, at path: String, _ sentence: String
  ) -> ConfigurationProblem {
    ConfigurationProblem(
      kind, file: fileName, line: DocumentNode(root: text.root).line(of: path), path: path,
      sentence: sentence)
  }
}

/// Reads configuration files: text to document, document against the table of keys, then references
/// and everything else that concerns several values. All problems are reported together.
public enum ConfigurationLoader {
  /// Thousands of targets fit; more is a mistake.
  public static let byteCountMax = 4 << 20

  /// Whether the owners and modes of files with secrets matter. Only examples and tests leave them
  /// unchecked.
  public enum Permissions: Sendable {
    case checked
    case unchecked
  }

  /// Loads a file. Relative paths in it start at its own directory. `elsewhere`: it is to be served
  /// by another machine, so that files of secrets that are missing here are worth a warning alone.
  public static func load(
    _ path: String, permissions: Permissions = .checked, elsewhere: Bool = false
  ) throws(ConfigurationError) -> LoadedConfiguration {
    let file: BoundedFile
    do throws(BoundedFile.ReadError) {
      file = try BoundedFile.read(path, byteCountMax: byteCountMax)
    } catch {
      throw ConfigurationError([
        ConfigurationProblem(.unreadable, file: path, sentence: error.sentence)
      ])
    }
    let absolute = FilePath.resolve(path, against: FilePath.currentDirectory())
    var context = LoadingContext(
      directory: FilePath.directory(of: absolute), permissions: permissions,
      path: path, file: file, filePath: absolute)
    context.isForElsewhere = elsewhere
    return try load(read(file.bytes, path), fileName: path, context: context)
  }

  /// Loads text. Relative paths in it start at `directory`.
  public static func load(
    text: String, fileName: String = "targets.json", directory: String = "/",
    permissions: Permissions = .checked
  ) throws(ConfigurationError) -> LoadedConfiguration {
    guard text.utf8.count <= byteCountMax else {
      let sentence = "is larger than \(ByteSize.description(UInt64(byteCountMax)))"
      throw ConfigurationError([ConfigurationProblem(file: fileName, sentence: sentence)])
    }
    let context = LoadingContext(
      directory: directory, permissions: permissions, path: nil, file: nil)
    return try load(read(Array(text.utf8), fileName), fileName: fileName, context: context)
  }

  /// What runs elsewhere, to look at it: relative paths start where `file` stands, permissions do
  /// not matter, and a secret whose file cannot be read here is empty. Marks may stand for secrets.
  public static func look(
    at text: String, file: String?
  ) throws(ConfigurationError) -> TargetConfiguration {
    try draft(of: text, file: file).configuration
  }

  /// As `look`, to be edited: what is not judged of this is not judged of its edits either.
  public static func draft(
    of text: String, file: String?
  ) throws(ConfigurationError) -> LoadedConfiguration {
    let path = FilePath.resolve(file ?? "targets.json", against: "/")
    var context = LoadingContext(
      directory: FilePath.directory(of: path), permissions: .unchecked, path: nil, file: nil)
    context.isLook = true
    return try load(read(Array(text.utf8), path), fileName: path, context: context)
  }

  /// What `former` says too is not looked at again, as far as it means the same by itself.
  static func load(
    _ text: ConfigurationText, fileName: String, context: LoadingContext,
    after former: LoadedConfiguration? = nil
  ) throws(ConfigurationError) -> LoadedConfiguration {
    let root = DocumentNode(root: text.root)
    let texts = former.map { TextPair(first: $0.text.bytes, second: text.bytes) }
    var checker = ShapeChecker(report: ProblemReport(file: fileName), texts: texts)
    checker.check(root, against: .object(.configuration), known: former?.text.root)
    var builder = ConfigurationBuilder(
      report: checker.report, context: context, former: former, texts: texts)
    let configuration = builder.build(root)
    let errors = ProblemReport.ordered(builder.report.errors)
    guard errors.isEmpty else { throw ConfigurationError(errors) }
    return LoadedConfiguration(
      configuration: configuration, warnings: ProblemReport.ordered(builder.report.warnings),
      fileName: fileName, text: text, context: context)
  }

  private static func read(
    _ bytes: [UInt8], _ fileName: String
  ) throws(ConfigurationError) -> ConfigurationText {
    do throws(DocumentSyntaxError) {
      return try ConfigurationText(bytes)
    } catch {
      throw ConfigurationError([
        ConfigurationProblem(
          file: fileName, line: error.line, column: error.column, sentence: error.sentence)
      ])
    }
  }
}

/// Where a configuration comes from.
struct LoadingContext: Sendable {
  /// Absolute; relative paths start here.
  var directory: String
  var permissions: ConfigurationLoader.Permissions
  /// As the user named it; nil for text.
  var path: String?
  /// nil for text.
  var file: BoundedFile?
  /// Absolute, also of another text for the same file; nil: there is none.
  var filePath: String?
  /// Secrets may be missing.
  var isLook = false
  /// Files of secrets may be missing, which is worth a warning.
  var isForElsewhere = false

  /// For a text that might stand in the same file.
  var ofText: LoadingContext {
    var context = self
    context.path = nil
    context.file = nil
    return context
  }
}
