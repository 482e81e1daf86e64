internal import CLinux

/// What the system tells of a file.
struct FileFacts: Sendable, Equatable {
  /// Which file it is, also after file systems gave its inode number again.
  struct Identity: Sendable, Equatable {
    var device: UInt64
    var inode: UInt64
    var seconds: Int64
    var nanoseconds: Int64
  }

  var identity: Identity
  /// Type and permissions (inode(7)).
  var mode: UInt32

  /// By lstat(2); nil where there is none.
  init?(_ path: String) {
    var facts = clinux_file_facts()
    guard unsafe clinux_file_facts_of(path, &facts) == 0 else { return nil }
    self.init(facts)
  }

  /// By fstat(2).
  init?(descriptor: Int32) {
    var facts = clinux_file_facts()
    guard unsafe clinux_open_file_facts(descriptor, &facts) == 0 else { return nil }
    self.init(facts)
  }

  private init(_ facts: clinux_file_facts) {
    identity = Identity(
      device: facts.device, inode: facts.inode, seconds: facts.seconds,
      nanoseconds: facts.nanoseconds)
    mode = facts.mode
  }

  var isSocket: Bool { mode & 0o170000 == 0o140000 }
  var isRegular: Bool { mode & 0o170000 == 0o100000 }
  var isForEverybody: Bool { mode & 0o007 != 0 }
}
