/// Sizes as targetcli reads and writes them: units are powers of 1024, whatever their letters.
enum ByteCount {
  static func parse(_ text: String) throws(ExecutionError) -> UInt64 {
    let wrong = ExecutionError("Cannot interpret size, wrong format: \(text)")
    var rest = text.lowercased().filter { $0 != "i" }[...]
    if rest.last == "b" { rest = rest.dropLast() }
    var factor: UInt64 = 1
    if let letter = rest.last, let power = ["k", "m", "g", "t"].firstIndex(of: letter) {
      factor = 1 << (10 * UInt64(power + 1))
      rest = rest.dropLast()
    }
    guard !rest.isEmpty, rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = UInt64(rest)
    else { throw wrong }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: factor)
    guard !isTooLarge, bytes <= UInt64(Int64.max) else {
      throw ExecutionError("The file size is too large (\(text))")
    }
    return bytes
  }

  /// `2.0GiB`.
  static func text(_ bytes: UInt64) -> String {
    guard bytes >= 1024 else { return "\(bytes) bytes" }
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var size = Double(bytes) / 1024
    var unit = 0
    while size >= 1024, unit < units.count - 1 { (size, unit) = (size / 1024, unit + 1) }
    let tenths = (size * 10).rounded()
    return "\(Int(tenths) / 10).\(Int(tenths) % 10)\(units[unit])"
  }
}
