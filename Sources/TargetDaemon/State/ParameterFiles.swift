internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// What initiators have set on logical units to last, a file for each store that has anything set:
///
///     swift-tgtd parameters 1
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     modes wce=1 d_sense=0 swp=0 tas=0 configured-wce=1
///     information 0102ab
///     text 6469736b00
///     checksum 1b2c3d4e
///
/// A file that cannot be read as it was written is worth a word in the log and no more: the unit
/// starts as configured, and nothing of it is lost that data or fencing hang on.
struct ParameterFiles: UnitPersistence {
  private static let header = "swift-tgtd parameters 1"
  private static let bytesMax = 4096

  private let files: RecordFiles

  init(
    directory: String, savingOn thread: JobThread, logger: Logger,
    fileSystem: any StateFileSystem = KernelFileSystem()
  ) {
    files = RecordFiles(
      of: "parameters", in: directory, bytesMax: ParameterFiles.bytesMax, savingOn: thread,
      logger: logger, fileSystem: fileSystem)
  }

  private static func name(of unit: LogicalUnitIdentity) -> String {
    StateFile.fileName(of: unit.name)
  }

  // MARK: Loading

  func load(of unit: LogicalUnitIdentity) -> SavedParameters {
    let saved = found(of: unit)
    files.begin(
      Self.name(of: unit), with: saved.map { ParameterFiles.content($0, unit.naa) })
    return saved ?? SavedParameters()
  }

  /// Nil: there are none, or none that count.
  private func found(of unit: LogicalUnitIdentity) -> SavedParameters? {
    let content: [UInt8]?
    do throws(SystemError) { content = try files.read(Self.name(of: unit)) } catch {
      warn(unit, "cannot be read: \(error)")
      return nil
    }
    guard let content else { return nil }
    guard let (naa, saved) = ParameterFiles.parse(content) else {
      warn(unit, "is damaged")
      return nil
    }
    // Another disk of the same name has no claim to what was set on this one.
    guard naa == Hexadecimal.text(unit.naa) else {
      warn(unit, "belongs to another disk, naa \(naa)")
      return nil
    }
    return saved
  }

  private func warn(_ unit: LogicalUnitIdentity, _ what: String) {
    files.logger.warning(
      "the saved parameters of the store are not used: it starts as configured",
      metadata: files.metadata(Self.name(of: unit), unit).merging(["reason": "\(what)"]) { $1 })
  }

  // MARK: Saving

  func save(
    _ parameters: SavedParameters, of unit: LogicalUnitIdentity,
    completion: @escaping SaveCompletion
  ) {
    files.save(Self.name(of: unit), of: unit, completion: completion) {
      ParameterFiles.content(parameters, unit.naa)
    }
  }

  // MARK: Format

  static func content(_ parameters: SavedParameters, _ naa: [UInt8]) -> [UInt8] {
    var text = "\(header)\nunit \(Hexadecimal.text(naa))\n"
    if let modes = parameters.modes {
      let settings = modes.settings
      let words = [
        ("wce", settings.isWriteCacheEnabled), ("d_sense", settings.isDescriptorSense),
        ("swp", settings.isSoftwareWriteProtected), ("tas", settings.isTaskAbortedStatus),
        ("configured-wce", modes.configuredWriteCache),
      ]
      text += "modes " + words.map { "\($0)=\($1 ? 1 : 0)" }.joined(separator: " ") + "\n"
    }
    text += "information \(Hexadecimal.text(parameters.identifyingInformation))\n"
    text += "text \(Hexadecimal.text(parameters.textIdentifyingInformation))\n"
    return ChecksummedText(text).content(.crc32c)
  }

  /// Nil: not as `content` writes it.
  static func parse(_ content: [UInt8]) -> (naa: String, parameters: SavedParameters)? {
    guard let text = ChecksummedText(content: content, .crc32c) else { return nil }
    var lines = text.lines[...]
    guard lines.popFirst() == Substring(header), let unit = lines.popFirst(),
      unit.hasPrefix("unit ")
    else { return nil }
    var saved = SavedParameters()
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard words.count == 2, apply(words[0], words[1], to: &saved) else { return nil }
    }
    return (String(unit.dropFirst(5)), saved)
  }

  private static func apply(
    _ key: Substring, _ value: Substring, to saved: inout SavedParameters
  ) -> Bool {
    switch key {
    case "modes":
      saved.modes = modes(value)
      return saved.modes != nil
    case "information":
      guard let bytes = Hexadecimal.bytes(value), bytes.count <= 64 else { return false }
      saved.identifyingInformation = bytes
    case "text":
      guard let bytes = Hexadecimal.bytes(value), bytes.count <= 256 else { return false }
      saved.textIdentifyingInformation = bytes
    default: return false
    }
    return true
  }

  private static func modes(_ text: Substring) -> SavedParameters.Modes? {
    let names = ["wce", "d_sense", "swp", "tas", "configured-wce"]
    let words = text.split(separator: " ")
    guard words.count == names.count else { return nil }
    var values: [Bool] = []
    for (word, name) in zip(words, names) {
      guard word == "\(name)=0" || word == "\(name)=1" else { return nil }
      values.append(word.hasSuffix("1"))
    }
    return SavedParameters.Modes(
      settings: ModeSettings(
        isWriteCacheEnabled: values[0], isDescriptorSense: values[1],
        isSoftwareWriteProtected: values[2], isTaskAbortedStatus: values[3]),
      configuredWriteCache: values[4])
  }
}
