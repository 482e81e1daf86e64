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
struct ParameterFiles: ParameterPersistence {
  private static let header = "swift-tgtd parameters 1"
  private static let bytesMax = 4096

  private let directory: String
  private let thread: JobThread
  private let logger: Logger

  init(_ state: StateDirectory, _ thread: JobThread, _ logger: Logger) {
    directory = state.path + "/parameters"
    self.thread = thread
    self.logger = logger
  }

  // MARK: Loading

  func load(of unit: LogicalUnitIdentity) -> SavedParameters {
    let path = "\(directory)/\(StateFile.fileName(of: unit.name))"
    let content: [UInt8]?
    do throws(SystemError) {
      content = try KernelFileSystem().stableContent(
        of: path, bytesMax: ParameterFiles.bytesMax)
    } catch {
      warn(unit, path, "cannot be read: \(error)")
      return SavedParameters()
    }
    guard let content else { return SavedParameters() }
    guard let (naa, saved) = ParameterFiles.parse(content) else {
      warn(unit, path, "is damaged")
      return SavedParameters()
    }
    // Another disk of the same name has no claim to what was set on this one.
    guard naa == ParameterFiles.hexadecimal(unit.naa) else {
      warn(unit, path, "belongs to another disk, naa \(naa)")
      return SavedParameters()
    }
    return saved
  }

  private func warn(_ unit: LogicalUnitIdentity, _ path: String, _ what: String) {
    logger.warning(
      "the saved parameters of the store are not used: it starts as configured",
      metadata: ["store": "\(unit.name)", "file": "\(path)", "reason": "\(what)"])
  }

  // MARK: Saving

  func save(
    _ parameters: SavedParameters, of unit: LogicalUnitIdentity,
    completion: @escaping @Sendable (SystemError?) -> Bool
  ) {
    let isAccepted = thread.perform { [self] in
      let error = write(parameters, of: unit)
      if let error {
        logger.error(
          "cannot save what an initiator has set",
          metadata: ["store": "\(unit.name)", "error": "\(error)"])
      }
      Self.tell(error, completion)
    }
    // The caller is a reactor, and has a place in its own mailbox or hears of it from the thread.
    if !isAccepted { _ = completion(.tryAgain) }
  }

  /// A reactor whose mailbox is full empties it in its next turn.
  static func tell(
    _ error: SystemError?, _ completion: @Sendable (SystemError?) -> Bool
  ) {
    let never = Semaphore()
    while !completion(error) { _ = never.wait(until: .current + Milliseconds(10)) }
  }

  private func write(_ parameters: SavedParameters, of unit: LogicalUnitIdentity) -> SystemError? {
    do throws(StateFile.ReplaceError) {
      try StateFile.replace(
        StateFile.fileName(of: unit.name), in: directory,
        with: ParameterFiles.content(parameters, unit.naa))
      return nil
    } catch {
      return error.cause
    }
  }

  // MARK: Format

  static func content(_ parameters: SavedParameters, _ naa: [UInt8]) -> [UInt8] {
    var text = "\(header)\nunit \(hexadecimal(naa))\n"
    if let modes = parameters.modes {
      let settings = modes.settings
      let words = [
        ("wce", settings.isWriteCacheEnabled), ("d_sense", settings.isDescriptorSense),
        ("swp", settings.isSoftwareWriteProtected), ("tas", settings.isTaskAbortedStatus),
        ("configured-wce", modes.configuredWriteCache),
      ]
      text += "modes " + words.map { "\($0)=\($1 ? 1 : 0)" }.joined(separator: " ") + "\n"
    }
    text += "information \(hexadecimal(parameters.identifyingInformation))\n"
    text += "text \(hexadecimal(parameters.textIdentifyingInformation))\n"
    return Array((text + "checksum \(StateFile.checksum(text))\n").utf8)
  }

  /// Nil: not as `content` writes it.
  static func parse(_ content: [UInt8]) -> (naa: String, parameters: SavedParameters)? {
    guard let text = String(validating: content, as: UTF8.self), text.hasSuffix("\n"),
      let end = text.dropLast().lastIndex(of: "\n")
    else { return nil }
    let body = text[...end]
    guard text[text.index(after: end)...] == "checksum \(StateFile.checksum(String(body)))\n" else {
      return nil
    }
    var lines = body.split(separator: "\n")[...]
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
      guard let bytes = bytes(value), bytes.count <= 64 else { return false }
      saved.identifyingInformation = bytes
    case "text":
      guard let bytes = bytes(value), bytes.count <= 256 else { return false }
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

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    let digits = text.unicodeScalars.compactMap { Character($0).hexDigitValue }
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
