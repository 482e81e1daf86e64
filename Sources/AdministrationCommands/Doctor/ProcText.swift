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

  /// `/proc/PID/limits`: the soft limit of that name; `.max` where there is none.
  static func softLimit(_ name: String, in text: String) -> UInt64? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let word = line.dropFirst(name.count).split(separator: " ").first
    else { return nil }
    return word == "unlimited" ? .max : UInt64(word)
  }
}
