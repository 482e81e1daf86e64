internal import Glibc

/// Groups of the system, by name.
enum SystemGroup {
  static func number(of name: String) -> UInt32? {
    var record = unsafe group()
    var found: UnsafeMutablePointer<group>?
    // Groups may have many members, whose names go in here.
    var room = [CChar](repeating: 0, count: 1 << 20)
    guard unsafe getgrnam_r(name, &record, &room, room.count, &found) == 0, unsafe found != nil
    else { return nil }
    return unsafe record.gr_gid
  }
}
