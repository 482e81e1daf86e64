/// The form that a text must have.
enum TextFormat: Sendable {
  case storeName, path, devicePath, socketPath
  case endpoint, advertisedEndpoint, addressRange
  case targetName, initiatorName
  case naa, serial, vendor, product, percentage
  case user, secret, group, alias, free

  /// After "text, " in a message.
  var example: String {
    switch self {
    case .storeName: "a name like \"quorum1\""
    case .path: "a path like \"/srv/iscsi/disk.img\""
    case .devicePath: "a path like \"/dev/vg0/disk\""
    case .socketPath: "a path like \"/run/swift-tgtd/admin.sock\""
    case .endpoint: "an address and port like \"0.0.0.0:3260\" or \"[::]:3260\""
    case .advertisedEndpoint: "an address and port like \"192.0.2.7:3260\""
    case .addressRange: "an address or network like \"192.168.90.0/24\""
    case .targetName: "a name like \"iqn.2026-11.com.example:disk\""
    case .initiatorName: "a name like \"iqn.2026-11.com.example:node1\", or \"any\""
    case .naa: "32 hexadecimal digits that begin with 6"
    case .serial: "1 to \(TargetConfiguration.Store.serialByteCountMax) printable characters"
    case .vendor: "1 to 8 printable characters"
    case .product: "1 to 16 printable characters"
    case .percentage: "a share like \"80%\""
    case .user: "a user name"
    case .secret: "a secret of at least \(Secret.recommendedByteCountMin) bytes"
    case .group: "the name of a system group"
    case .alias: "at most 255 bytes"
    case .free: "any text"
    }
  }

  /// A regular expression for the schema; nil where only a parser can tell.
  var pattern: String? {
    switch self {
    case .storeName: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
    case .devicePath: "^/"
    case .addressRange: "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$"
    case .targetName: "^[A-Za-z0-9.:\\-\\u0080-\\uffff]{1,223}$"
    case .naa: "^6[0-9A-Fa-f]{31}$"
    case .serial: "^[ -~]{1,\(TargetConfiguration.Store.serialByteCountMax)}$"
    case .vendor: "^[ -~]{1,8}$"
    case .product: "^[ -~]{1,16}$"
    case .percentage: "^[1-9][0-9]?%$"
    default: nil
    }
  }

  /// The range of lengths in bytes.
  private var byteCount: ClosedRange<Int> {
    switch self {
    case .storeName: 1...64
    case .path, .devicePath: 1...4095  // PATH_MAX with its final zero
    case .socketPath: 1...107  // sun_path with its final zero
    case .serial: 1...TargetConfiguration.Store.serialByteCountMax
    case .vendor: 1...8
    case .product: 1...16
    case .percentage: 1...16
    case .user, .secret: 1...255  // RFC 7143 §6.1: a text value is at most 255 bytes
    case .alias: 0...255
    case .group: 1...64
    case .endpoint, .advertisedEndpoint, .addressRange, .targetName, .initiatorName, .naa, .free:
      0...4096
    }
  }

  /// What is wrong with a text, completing "<value> …" or, for a secret, "the secret …".
  func problem(in text: String) -> String? {
    if text.unicodeScalars.contains(where: \.isControl) {
      return "contains a control character"
    }
    let count = text.utf8.count
    if count == 0, byteCount.lowerBound > 0 { return "is empty" }
    if count > byteCount.upperBound {
      return "has \(count) bytes: at most \(byteCount.upperBound) are possible"
    }
    return specificProblem(in: text)
  }

  private func specificProblem(in text: String) -> String? {
    switch self {
    case .storeName: return Self.storeNameProblem(text)
    case .devicePath:
      return text.hasPrefix("/")
        ? nil : "is not absolute: write \("/dev/\(text)".quoted)"
    case .endpoint:
      return parseProblem { () throws(Endpoint.ParseError) in
        _ = try Endpoint(parsing: text)
      }
    case .advertisedEndpoint:
      return parseProblem { () throws(Endpoint.ParseError) in
        _ = try AdvertisedEndpoint(parsing: text)
      }
    case .addressRange:
      do throws(AddressPattern.ParseError) {
        _ = try AddressPattern(parsing: text)
        return nil
      } catch { return error.sentence }
    case .targetName: return ISCSIName.problem(in: text, isTarget: true)
    case .initiatorName: return ISCSIName.problem(in: text, isTarget: false)
    case .naa: return NAAIdentifier.problem(in: text)
    case .serial, .vendor, .product:
      let isPrintable = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
      return isPrintable ? nil : "has characters that are not printable ASCII (SPC-4 §4.3.1)"
    case .percentage:
      return Percentage.value(of: text) == nil ? "is not a share from 1% to 99%" : nil
    case .path, .socketPath, .user, .secret, .group, .alias, .free: return nil
    }
  }

  private func parseProblem(_ parse: () throws(Endpoint.ParseError) -> Void) -> String? {
    do throws(Endpoint.ParseError) {
      try parse()
      return nil
    } catch { return error.sentence }
  }

  /// Names of stores become file names in the state directory and parts of administration URLs.
  private static func storeNameProblem(_ text: String) -> String? {
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
        || byte == 0x2E || byte == 0x5F
    }
    if isPlain, text.first != ".", text.first != "-" { return nil }
    return "is not a store name: use letters, digits, \"_\", \"-\" and \".\", "
      + "and begin with a letter, digit or \"_\""
  }
}
