/// The configuration files of other targets that can be read.
public enum ImportFormat: String, Sendable, CaseIterable {
  /// `/etc/tgt/targets.conf`, which tgt-admin reads.
  case targetsConf = "targets.conf"
  /// `/etc/target/saveconfig.json` of targetcli and LIO.
  case saveconfig = "saveconfig.json"
  /// `/etc/scst.conf` of scstadmin.
  case scst = "scst.conf"
  /// `/etc/ctl.conf` of FreeBSD's ctld.
  case ctl = "ctl.conf"
}

/// One thing that could not be kept, or that means something else here, and what to do about it.
public struct ImportNote: Sendable, Equatable, CustomStringConvertible {
  /// As the user named it, or as the source of an include named it.
  public var file: String
  /// nil when the file as a whole is meant.
  public var line: Int?
  /// Never shows a secret.
  public var sentence: String

  /// `targets.conf:14: …`, as compilers write it.
  public var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(sentence)" }
}

/// A configuration of ours that came out of another target's file.
public struct ImportedConfiguration: Sendable {
  public var format: ImportFormat
  /// Loads without errors. It may hold secrets: write it with mode 0600.
  public var text: String
  /// Everything that was not kept as it was, in the order of the file.
  public var notes: [ImportNote]
  /// No store and no target was found.
  public var isEmpty: Bool
  /// By target, in the order of the file.
  public var withheld: [WithheldAccess] = []
  /// It is what we wrote there ourselves, and not made of another target's words.
  public var isOwn = false
}

/// Access to a target of LIO that `text` has not, because nobody got in by it: its portal group is
/// disabled or has no portals, or users are asked for that an initiator, or everybody, has not.
public struct WithheldAccess: Sendable {
  public var target: String
  public var isDisabled = false
  public var hasNoPortals = false
  public var asksUsers = false
  /// Some of its initiators are asked for users though others are not: each by itself.
  public var isMixed = false
  public var isOpenToAny = false
  /// Who got in there.
  public var entries: [TargetConfiguration.AccessEntry] = []
  /// Who is asked for a user and has none.
  public var userless: [TargetConfiguration.AccessEntry] = []
}

/// Turns the configuration of another target into ours. Identities, LUN numbers, CHAP users, access
/// lists, caching and block sizes stay as initiators know them; what cannot stay is in the notes.
///
/// A list of initiators or users that cannot be kept whole never opens a door: what remains of it
/// is let in, or nobody. Where an import means more than the source may have meant, its note says
/// so.
public enum ConfigurationImport {
  /// Of the file with everything that it includes.
  public static let byteCountMax = 16 << 20

  /// What a pattern of an include names: every file with its path and text.
  public typealias Includes = (_ pattern: String) -> [(path: String, text: String)]

  /// Reads `bytes` in `format`, or in the one that they look like. Does no I/O: files that
  /// targets.conf includes come from `includes`, which expands wildcards.
  public static func read(
    _ bytes: [UInt8], fileName: String, format: ImportFormat? = nil,
    includes: Includes = { _ in [] }
  ) throws(ConfigurationError) -> ImportedConfiguration {
    do throws(ImportError) {
      guard bytes.count <= byteCountMax else {
        throw ImportError(
          ImportPlace(file: fileName, line: 1), "is larger than \(byteCountMax >> 20)MiB")
      }
      guard let format = format ?? detect(bytes) else {
        let known = ImportFormat.allCases.map(\.rawValue).joined(orBefore: "or")
        throw ImportError(ImportPlace(file: fileName, line: 1), "does not look like \(known)")
      }
      var draft = ImportDraft(fileName: fileName, format: format)
      try fill(&draft, bytes, includes)
      draft.finish()
      let text = draft.text()
      let configuration = try proven(text, fileName, hasSecretFiles: draft.hasSecretFiles)
      return ImportedConfiguration(
        format: format, text: text, notes: draft.orderedNotes,
        isEmpty: configuration.stores.isEmpty && configuration.targets.isEmpty,
        withheld: draft.withheld, isOwn: draft.isOwn)
    } catch {
      throw ConfigurationError([
        ConfigurationProblem(
          file: error.place.file, line: error.place.line, sentence: error.sentence)
      ])
    }
  }

  /// Reads text.
  public static func read(
    text: String, fileName: String, format: ImportFormat? = nil,
    includes: Includes = { _ in [] }
  ) throws(ConfigurationError) -> ImportedConfiguration {
    try read(Array(text.utf8), fileName: fileName, format: format, includes: includes)
  }

  private static func fill(
    _ draft: inout ImportDraft, _ bytes: [UInt8], _ includes: Includes
  ) throws(ImportError) {
    let fileName = draft.fileName
    switch draft.format {
    case .targetsConf:
      var reader = DirectiveReader()
      let root = try reader.read(bytes, fileName: fileName, includes: includes)
      draft.take(reader.notes)
      var importer = TargetsConfImporter(draft: draft)
      importer.run(root)
      draft = importer.draft
    case .saveconfig:
      let root: DocumentValue
      do throws(DocumentSyntaxError) {
        root = try DocumentReader.read(bytes)
      } catch {
        throw ImportError(ImportPlace(file: fileName, line: error.line), error.sentence)
      }
      var importer = SaveconfigImporter(draft: draft)
      try importer.run(DocumentNode(root: root))
      draft = importer.draft
    case .scst:
      var importer = SCSTImporter(draft: draft)
      importer.run(try BraceReader.read(bytes, fileName: fileName, dialect: .scst))
      draft = importer.draft
    case .ctl:
      var importer = CTLImporter(draft: draft)
      importer.run(try BraceReader.read(bytes, fileName: fileName, dialect: .ctl))
      draft = importer.draft
    }
  }

  /// What is handed out loads: a reader that forgot a rule of ours must not pass it on.
  private static func proven(
    _ text: String, _ fileName: String, hasSecretFiles: Bool
  ) throws(ImportError) -> TargetConfiguration {
    do throws(ConfigurationError) {
      // Files that secrets stand in may be on another machine.
      if hasSecretFiles { return try ConfigurationLoader.look(at: text, file: nil) }
      return try ConfigurationLoader.load(text: text).configuration
    } catch {
      throw ImportError(
        ImportPlace(file: fileName, line: nil),
        "gives a configuration that does not load: \(error.description)")
    }
  }

  /// The format by the first line that tells it.
  private static func detect(_ bytes: [UInt8]) -> ImportFormat? {
    for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).prefix(10_000) {
      let text = String(decoding: line.prefix(256), as: UTF8.self)
      guard let word = text.split(whereSeparator: { $0.isWhitespace || $0 == "{" }).first else {
        if text.contains("{") { return .saveconfig }
        continue
      }
      if word.hasPrefix("#") { continue }
      if text.drop(while: \.isWhitespace).first == "{" { return .saveconfig }
      switch word {
      case "HANDLER", "TARGET_DRIVER", "DEVICE_GROUP", "setup_id": return .scst
      case "auth-group", "portal-group", "transport-group", "lun", "pidfile", "maxproc", "debug",
        "timeout", "isns-server", "isns-period", "isns-timeout", "target":
        return .ctl
      case "default-driver", "include", "Include", "ignore-errors", "control-port",
        "iSNS", "iSNSServerIP", "iSNSServerPort", "iSNSAccessControl", "incomingdiscoveryuser",
        "outgoingdiscoveryuser":
        return .targetsConf
      default:
        if word.hasPrefix("<") { return .targetsConf }
      }
    }
    return nil
  }
}

/// Where something stands in the files that are imported.
struct ImportPlace: Sendable {
  var file: String
  var line: Int?
}

/// Why a file cannot be imported at all.
struct ImportError: Error {
  var place: ImportPlace
  var sentence: String

  init(_ place: ImportPlace, _ sentence: String) {
    self.place = place
    self.sentence = sentence
  }
}
