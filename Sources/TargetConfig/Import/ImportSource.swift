internal import Glibc

/// Another target's configuration on disk, with the files that it includes.
public struct ImportSource: Sendable {
  private let path: String
  private let bytes: [UInt8]

  /// Reads the file itself; what it includes is read when it is asked for.
  public static func open(_ path: String) throws(ConfigurationError) -> ImportSource {
    do throws(BoundedFile.ReadError) {
      let limit = ConfigurationImport.byteCountMax
      return ImportSource(
        path: path, bytes: try BoundedFile.read(path, byteCountMax: limit).bytes)
    } catch {
      throw ConfigurationError([ConfigurationProblem(file: path, sentence: error.sentence)])
    }
  }

  /// Patterns of includes start at the directory of the file. A file that is there and cannot be
  /// read ends the import: an access list without it would be another one.
  public func imported(
    as format: ImportFormat? = nil
  ) throws(ConfigurationError) -> ImportedConfiguration {
    var included = IncludedFiles(directory: FilePath.directory(of: path))
    // Before the result, also where the text alone is in error: it is why.
    let result: Result<ImportedConfiguration, ConfigurationError>
    do throws(ConfigurationError) {
      result = .success(
        try ConfigurationImport.read(
          bytes, fileName: path, format: format, includes: { included.read($0) }))
    } catch {
      result = .failure(error)
    }
    if let problem = included.problem { throw ConfigurationError([problem]) }
    return try result.get()
  }
}

/// What stands in a targets.conf, in its order and with what it includes, whatever it means.
public struct TargetsConf: Sendable {
  /// A line `name value`, or a block `<name value> … </name>`.
  public struct Entry: Sendable, Equatable {
    public var name: String
    public var value: String
    /// nil for a line.
    public var entries: [Entry]?

    public init(_ name: String, _ value: String, _ entries: [Entry]? = nil) {
      self.name = name
      self.value = value
      self.entries = entries
    }

    init(_ directive: Directive) {
      self.init(directive.name, directive.value, directive.children?.map { Entry($0) })
    }
  }

  public var entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }
}

extension ImportSource {
  /// As tgt-admin reads it.
  public func targetsConf() throws(ConfigurationError) -> TargetsConf {
    var included = IncludedFiles(directory: FilePath.directory(of: path))
    var reader = DirectiveReader()
    let result: Result<[Directive], ImportError>
    do throws(ImportError) {
      result = .success(
        try reader.read(bytes, fileName: path, includes: { included.read($0) }))
    } catch {
      result = .failure(error)
    }
    if let problem = included.problem { throw ConfigurationError([problem]) }
    do throws(ImportError) {
      return TargetsConf(try result.get().map { TargetsConf.Entry($0) })
    } catch {
      throw ConfigurationError([
        ConfigurationProblem(
          file: error.place.file, line: error.place.line, sentence: error.sentence)
      ])
    }
  }
}

/// What includes name, by glob(3).
private struct IncludedFiles {
  let directory: String
  private(set) var problem: ConfigurationProblem?
  private var byteCountLeft = ConfigurationImport.byteCountMax

  init(directory: String) { self.directory = directory }

  mutating func read(_ pattern: String) -> [(path: String, text: String)] {
    var files: [(path: String, text: String)] = []
    for path in paths(pattern) {
      guard problem == nil, let text = text(path) else { return [] }
      files.append((path, text))
    }
    return files
  }

  private mutating func text(_ path: String) -> String? {
    do throws(BoundedFile.ReadError) {
      let file = try BoundedFile.read(path, byteCountMax: byteCountLeft)
      byteCountLeft -= file.bytes.count
      if let text = String(validating: file.bytes, as: UTF8.self) { return text }
      fail(path, "is not UTF-8 text")
    } catch {
      fail(path, error.sentence)
    }
    return nil
  }

  private mutating func paths(_ pattern: String) -> [String] {
    guard !pattern.utf8.contains(0) else {
      fail(directory, "an include names a path with a zero byte")
      return []
    }
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    // A directory that is not there holds nothing; one that cannot be read may.
    let status = unsafe glob(absolute(pattern), 0, { _, code in code == ENOENT ? 0 : 1 }, &found)
    guard status == 0 else {
      if status != GLOB_NOMATCH { fail(pattern, "cannot be searched for included files") }
      return []
    }
    return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }

  private func absolute(_ pattern: String) -> String {
    guard !pattern.hasPrefix("/") else { return pattern }
    let literal = directory.flatMap { "*?[\\".contains($0) ? "\\\($0)" : "\($0)" }
    return String(literal) + "/" + pattern
  }

  /// The first one is told.
  private mutating func fail(_ path: String, _ sentence: String) {
    guard problem == nil else { return }
    problem = ConfigurationProblem(file: path, sentence: sentence)
  }
}
