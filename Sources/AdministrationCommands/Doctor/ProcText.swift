internal import TargetConfig

/// Texts of proc(5). What cannot be understood is passed over.
enum ProcText {
  /// `/proc/net/fib_trie`: a line with an address, then `/32 host LOCAL`. Loopback is left out.
  static func localAddresses(_ text: String) -> [String] {
    var addresses: [String] = []
    var last: Substring?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.first == "|--" {
        last = words.dropFirst().first
      } else if words == ["/32", "host", "LOCAL"], let address = last {
        let isKnown = address.hasPrefix("127.") || addresses.contains(String(address))
        if !isKnown { addresses.append(String(address)) }
      }
    }
    return addresses
  }

  /// `/proc/net/if_inet6`: address, interface, prefix length, scope (00: global), flags, name.
  static func globalAddresses(_ text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 6, words[3] == "00", words[0].utf8.count == 32 else { return nil }
      let digits = Array(words[0])
      let groups = stride(from: 0, to: digits.count - 3, by: 4).map {
        String(digits[$0..<($0 + 4)])
      }
      let address = InternetAddress(groups.joined(separator: ":"))?.description
      return address == "::1" ? nil : address
    }
  }

  /// `/proc/net/tcp`: the second word ends in the port, the fourth is the state (0A: listening),
  /// the tenth is the inode.
  static func listeningInodes(_ text: String, port: UInt16) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 10, words[3] == "0A", let colon = words[1].lastIndex(of: ":"),
        UInt16(words[1][words[1].index(after: colon)...], radix: 16) == port
      else { return nil }
      return String(words[9])
    }
  }

  /// `/proc/locks`: the process that has locked that inode as a whole (flock(2)), whatever the
  /// device, which some file systems give otherwise than stat(2) does.
  static func lockOwner(in text: String, inode: UInt64) -> Int32? {
    for line in text.split(separator: "\n") {
      // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; who waits has "->" in the second place.
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", words[5].hasSuffix(":\(inode)") else { continue }
      return Int32(words[4]).flatMap { $0 > 0 ? $0 : nil }
    }
    return nil
  }

  /// `/proc/PID/limits`: the soft limit of that name; `.max` where there is none.
  static func softLimit(_ name: String, in text: String) -> UInt64? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let word = line.dropFirst(name.count).split(separator: " ").first
    else { return nil }
    return word == "unlimited" ? .max : UInt64(word)
  }
}
