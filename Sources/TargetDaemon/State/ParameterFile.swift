internal import SCSIModel
internal import SCSITarget

/// What a file in `parameters/` says: what initiators have set on one logical unit to last.
///
///     swift-tgtd parameters 1
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     store quorum1
///     modes wce=1 d_sense=0 swp=0 tas=0 configured-wce=1
///     information 0102ab
///     text 6469736b00
///     checksum 1b2c3d4e
///
/// | line        | what it says                                                                |
/// |-------------|-----------------------------------------------------------------------------|
/// | modes       | `none` were ever saved; or each of them and, last, what the configuration said |
/// | information | identifying information: pairs of hexadecimal digits                        |
/// | text        | text identifying information: UTF-8 and NUL, likewise                       |
struct ParameterFile: RecordFile {
  static let kind = "parameters"

  let unit: RecordUnit
  var parameters: SavedParameters

  init(_ parameters: SavedParameters, of unit: LogicalUnitIdentity) {
    self.unit = RecordUnit(unit)
    self.parameters = parameters
  }

  var isValid: Bool {
    IdentifyingInformationType.allCases.allSatisfy { type in
      let information =
        switch type {
        case .logicalUnit: parameters.identifyingInformation
        case .text: parameters.textIdentifyingInformation
        }
      return information.count <= type.lengthMax
        && IdentifyingInformationData.refusal(of: information, type) == nil
    }
  }

  // MARK: Writing

  var body: String {
    """
    modes \(modeWords)
    information \(Hexadecimal.text(parameters.identifyingInformation))
    text \(Hexadecimal.text(parameters.textIdentifyingInformation))

    """
  }

  private var modeWords: String {
    guard let modes = parameters.modes else { return "none" }
    let settings = modes.settings
    return [
      ("wce", settings.isWriteCacheEnabled), ("d_sense", settings.isDescriptorSense),
      ("swp", settings.isSoftwareWriteProtected), ("tas", settings.isTaskAbortedStatus),
      ("configured-wce", modes.configuredWriteCache),
    ].map { "\($0)=\($1 ? 1 : 0)" }.joined(separator: " ")
  }

  // MARK: Reading

  init?(_ unit: RecordUnit, _ lines: inout LineReader) {
    guard let modes = lines.line(after: "modes"),
      let information = lines.line(after: "information").flatMap({ Hexadecimal.bytes($0) }),
      let text = lines.line(after: "text").flatMap({ Hexadecimal.bytes($0) })
    else { return nil }
    self.unit = unit
    parameters = SavedParameters()
    parameters.modes = Self.modes(modes)
    parameters.identifyingInformation = information
    parameters.textIdentifyingInformation = text
  }

  /// Nil for `none`, which is what any other words are then not spelled as.
  private static func modes(_ text: String) -> SavedParameters.Modes? {
    let values = text.split(separator: " ").map { $0.hasSuffix("=1") }
    guard values.count == 5 else { return nil }
    return SavedParameters.Modes(
      settings: ModeSettings(
        isWriteCacheEnabled: values[0], isDescriptorSense: values[1],
        isSoftwareWriteProtected: values[2], isTaskAbortedStatus: values[3]),
      configuredWriteCache: values[4])
  }
}
