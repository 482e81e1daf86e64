internal import AdministrationModel
internal import ISCSITarget
internal import Reactor
internal import Synchronization

/// The refused logins that administrators may wonder about: a few, those of one initiator at one
/// target for one reason as one; who came often stays before who came once. How many there were of
/// all, the counters of the reactors say. Names are what somebody says, so one who makes them up
/// takes the room of his own addresses.
///
/// Written on the reactors, of which none waits for longer than a look at 16 entries takes.
final class RefusedLogins: Sendable {
  static let countMax = 16
  /// Older ones are not shown: whoever still wants in has tried again.
  static let shownMilliseconds: Int64 = 3_600_000

  private struct Entry: Sendable {
    var login: RefusedLogin
    var count: UInt64 = 1
    var at: Timestamp

    func isLike(_ other: RefusedLogin) -> Bool {
      login.reason == other.reason && login.address.ip == other.address.ip
        && login.initiatorName == other.initiatorName && login.targetName == other.targetName
    }

    func isShown(at now: Timestamp) -> Bool {
      let age = now.millisecondsSinceEpoch - at.millisecondsSinceEpoch
      return age <= RefusedLogins.shownMilliseconds
    }
  }

  /// The newest last.
  private let entries = Mutex<[Entry]>([])

  func add(_ login: RefusedLogin, at now: Timestamp = .current) {
    entries.withLock { entries in
      var entry = Entry(login: login, at: now)
      if let index = entries.firstIndex(where: { $0.isLike(login) }) {
        entry.count = entries.remove(at: index).count &+ 1
      } else if entries.count == Self.countMax {
        // However often they came, they keep out nobody any more.
        entries.removeAll { !$0.isShown(at: now) }
        if entries.count == Self.countMax {
          entries.remove(at: Self.leastMissed(entries, by: login))
        }
      }
      entries.append(entry)
    }
  }

  /// Of the network that has the most of them, with the newcomer, the one that came least often; of
  /// those the oldest. Who comes once from many places takes the room of others like that.
  private static func leastMissed(_ entries: [Entry], by newcomer: RefusedLogin) -> Int {
    let networks = entries.map { $0.login.address.ip.network }
    var counts = [newcomer.address.ip.network: 1]
    for network in networks { counts[network, default: 0] += 1 }
    let most = counts.values.max()
    let theirs = entries.indices.filter { counts[networks[$0]] == most }
    return theirs.min { entries[$0].count < entries[$1].count } ?? 0
  }

  /// It is in now, from there: whoever tries under its name from elsewhere may be somebody else.
  func forget(initiator: String, target: String, address: IPAddress) {
    entries.withLock {
      $0.removeAll {
        $0.login.initiatorName == initiator && $0.login.targetName == target
          && $0.login.address.ip == address
      }
    }
  }

  /// The newest first.
  func recent(at now: Timestamp = .current) -> [RefusedLoginResource] {
    entries.withLock { $0 }.reversed().filter { $0.isShown(at: now) }.map { entry in
      RefusedLoginResource(
        initiator: entry.login.initiatorName, target: entry.login.targetName,
        address: "\(entry.login.address.ip)", reason: entry.login.reason.rawValue,
        message: entry.login.words, count: entry.count, at: entry.at)
    }
  }
}

extension IPAddress {
  /// What is one host's: of IPv6 a whole /64 (RFC 4291 §2.5.1), in which it may take any address.
  fileprivate var network: IPAddress {
    guard isIPv6 else { return self }
    return IPAddress(
      bytes: Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8), scope: scope)
  }
}

extension RefusedLogin {
  /// As long as a value in the log may be.
  private static let detailMax = 256

  /// The class of the reason and, where it says more, the log's sentence.
  var words: String {
    let detail = detail.prefix(Self.detailMax)
    return detail == reason.title ? reason.title : "\(reason.title): \(detail)"
  }
}
