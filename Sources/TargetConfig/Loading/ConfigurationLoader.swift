/// A valid configuration with what is worth saying about it.
public struct LoadedConfiguration: Sendable {
  public var configuration: TargetConfiguration
  /// In the order of the file.
  public var warnings: [ConfigurationProblem]
  /// As the user named it.
  public var fileName: String
  public var sourceMap: SourceMap

  /// A problem that only shows later, such as a missing device, with its place in the file.
  public func problem(at path: String, _ sentence: String) -> ConfigurationProblem {
    ConfigurationProblem(
      file: fileName, line: sourceMap.line(of: path), path: path, sentence: sentence)
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

  /// Loads a file. Relative paths in it start at its own directory.
  public static func load(
    _ path: String, permissions: Permissions = .checked
  ) throws(ConfigurationError) -> LoadedConfiguration {
    let file: BoundedFile
    do throws(BoundedFile.ReadError) {
      file = try BoundedFile.read(path, byteCountMax: byteCountMax)
    } catch {
      throw ConfigurationError([ConfigurationProblem(file: path, sentence: error.sentence)])
    }
    let absolute = FilePath.resolve(path, against: FilePath.currentDirectory())
    let context = LoadingContext(
      directory: FilePath.directory(of: absolute), permissions: permissions,
      path: path, file: file)
    return try load(file.bytes, fileName: path, context: context)
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
    return try load(Array(text.utf8), fileName: fileName, context: context)
  }

  private static func load(
    _ bytes: [UInt8], fileName: String, context: LoadingContext
  ) throws(ConfigurationError) -> LoadedConfiguration {
    let root = DocumentNode(root: try document(bytes, fileName))
    var checker = ShapeChecker(report: ProblemReport(file: fileName))
    checker.check(root, against: .object(.configuration))
    var builder = ConfigurationBuilder(report: checker.report, context: context)
    let configuration = builder.build(root)
    let errors = ProblemReport.ordered(builder.report.errors)
    guard errors.isEmpty else { throw ConfigurationError(errors) }
    return LoadedConfiguration(
      configuration: configuration, warnings: ProblemReport.ordered(builder.report.warnings),
      fileName: fileName, sourceMap: SourceMap(root))
  }

  private static func document(
    _ bytes: [UInt8], _ fileName: String
  ) throws(ConfigurationError) -> DocumentValue {
    do throws(DocumentSyntaxError) {
      return try DocumentReader.read(bytes)
    } catch {
      throw ConfigurationError([
        ConfigurationProblem(
          file: fileName, line: error.line, column: error.column, sentence: error.sentence)
      ])
    }
  }
}

/// Where a configuration comes from.
struct LoadingContext {
  /// Absolute; relative paths start here.
  var directory: String
  var permissions: ConfigurationLoader.Permissions
  /// As the user named it; nil for text.
  var path: String?
  /// nil for text.
  var file: BoundedFile?
}
