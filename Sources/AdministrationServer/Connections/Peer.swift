internal import Glibc

/// Who is at the other end of a Unix socket, as the kernel wrote it down at connect(2).
struct Peer: Sendable, Equatable {
  var processID: Int32
  var user: UInt32
  var group: UInt32
  /// nil: the kernel cannot tell (before Linux 4.13).
  var supplementaryGroups: [UInt32]?

  /// socket(7), SO_PEERCRED; nil where there is no such peer.
  init?(socket: CInt) {
    // struct ucred: pid, uid, gid.
    var credentials: [UInt32] = [0, 0, 0]
    let size = socklen_t(credentials.count * MemoryLayout<UInt32>.stride)
    var length = size
    guard unsafe getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0,
      length == size
    else { return nil }
    processID = Int32(bitPattern: credentials[0])
    user = credentials[1]
    group = credentials[2]
    supplementaryGroups = Self.supplementaryGroups(of: socket)
  }

  init(processID: Int32 = 0, user: UInt32, group: UInt32, supplementaryGroups: [UInt32]? = []) {
    self.processID = processID
    self.user = user
    self.group = group
    self.supplementaryGroups = supplementaryGroups
  }

  /// SO_PEERGROUPS; a user has at most NGROUPS_MAX of them.
  private static func supplementaryGroups(of socket: CInt) -> [UInt32]? {
    var groups = [UInt32](repeating: 0, count: 65_536)
    var length = socklen_t(groups.count * MemoryLayout<UInt32>.stride)
    guard unsafe getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, &groups, &length) == 0 else {
      return nil
    }
    return Array(groups.prefix(Int(length) / MemoryLayout<UInt32>.stride))
  }
}

/// Who may administer through the Unix socket.
struct PeerPolicy: Sendable {
  /// The daemon's own user, besides root.
  var user: UInt32
  /// The configured group.
  var group: UInt32?

  func admits(_ peer: Peer) -> Bool {
    if peer.user == 0 || peer.user == user { return true }
    guard let group else { return false }
    return peer.group == group || peer.supplementaryGroups?.contains(group) == true
  }
}
