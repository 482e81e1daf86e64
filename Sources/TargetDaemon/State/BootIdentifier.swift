internal import Reactor

/// What the kernel calls the time since this host was booted: another one, and the host has lost
/// its memory in between, which is what a target's loss of power is (SPC-4 §5.13).
struct BootIdentifier: Equatable, Sendable {
  /// As the kernel writes it: lower-case hexadecimal digits and hyphens.
  let text: String

  /// A UUID of 36 characters.
  init?(_ text: some StringProtocol) {
    guard text.utf8.count == 36, text.utf8.allSatisfy(BootIdentifier.isAllowed) else { return nil }
    self.text = String(text)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Nil where the kernel does not tell.
  static func current(at path: String = "/proc/sys/kernel/random/boot_id") -> BootIdentifier? {
    guard let content = try? StateFile.content(of: path, bytesMax: 256),
      let text = String(validating: content, as: UTF8.self)
    else { return nil }
    return text.split(separator: "\n").first.flatMap { BootIdentifier($0) }
  }
}
