internal import TargetConfig

extension TgtadmRequest {
  /// Reads and checks a command line. Mistakes are found in the order in which tgtadm finds them.
  init(_ arguments: [String]) throws(TgtFailure) {
    var reader = OptionReader(Self.options, arguments)
    var mode: Mode?
    var operation: Operation?
    while let option = try Self.next(&reader) {
      let value = option.value ?? ""
      switch option.short {
      case "h":
        purpose = .help
        return
      case "V":
        purpose = .version
        return
      case "d": continue
      case "m":
        mode = Mode(argument: value)
        if mode == nil { throw TgtFailure(text: "tgtadm: unknown mode: \(value)\n", code: 1) }
      case "o":
        operation = Operation(rawValue: value)
        guard operation != nil else {
          throw TgtFailure(text: "tgtadm: unknown operation: \(value)\n", code: 1)
        }
      default:
        try take(option.short, value)
      }
      given.append(option.short)
    }
    if let operand = reader.operands.first {
      throw .usage("tgtadm: unrecognized option '\(operand)'")
    }
    guard let operation else { throw TgtFailure("specify the operation type") }
    guard let mode else { throw TgtFailure("specify the mode") }
    purpose = .operate(operation, mode)
    try check(operation, mode)
  }

  private static func next(
    _ reader: inout OptionReader
  ) throws(TgtFailure) -> OptionReader.Option? {
    do throws(OptionReader.Complaint) {
      return try reader.next()
    } catch {
      throw .usage("tgtadm: \(error.sentence)")
    }
  }

  private mutating func take(_ option: Character, _ value: String) throws(TgtFailure) {
    switch option {
    case "t": tid = try Self.integer(option, value)
    case "H": _ = try Self.integer(option, value)
    case "s": sid = try Self.unsigned(option, value)
    case "c": cid = try Self.unsigned(option, value)
    case "l": lun = try Self.unsigned(option, value)
    case "C":
      let port = try Self.unsigned(option, value)
      guard port <= UInt64(UInt16.max) else { throw Self.outOfRange(option, value) }
      controlPort = Int(port)
    case "Y":
      guard Self.deviceTypes.contains(value) else {
        throw TgtFailure("unknown target type: \(value)")
      }
      deviceType = value == "tape" ? "ssc" : value
    case "F": isForced = true
    case "O": isOutgoing = true
    default: takeText(option, value)
    }
  }

  private mutating func takeText(_ option: Character, _ value: String) {
    switch option {
    case "L": lld = value
    case "n": name = value
    case "v": self.value = value
    case "b": backingStore = value
    case "E": backingStoreType = value
    case "S": backingStoreOptions = value
    case "f": backingStoreFlags = value
    case "y": blockSize = value
    case "T": targetName = value
    case "I": initiatorAddress = value
    case "Q": initiatorName = value
    case "u": user = value
    case "p": password = value
    case "P": parameters = value
    case "B": bus = value
    default: preconditionFailure("every option of the table is read")
    }
  }

  // MARK: Numbers, as strtol(3) with base 0 reads them

  private static func integer(_ option: Character, _ text: String) throws(TgtFailure) -> Int {
    guard let number = Int64(numeral: text) else { throw invalid(option, text) }
    guard let value = Int32(exactly: number), value >= 0 else { throw outOfRange(option, text) }
    return Int(value)
  }

  private static func unsigned(_ option: Character, _ text: String) throws(TgtFailure) -> UInt64 {
    guard let number = UInt64(numeral: text) else { throw invalid(option, text) }
    return number
  }

  private static func invalid(_ option: Character, _ text: String) -> TgtFailure {
    .usage("-\(option) argument value '\(text)' invalid")
  }

  private static func outOfRange(_ option: Character, _ text: String) -> TgtFailure {
    .usage("-\(option) argument value '\(text)' out of range")
  }
}
