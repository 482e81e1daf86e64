internal import CLinux
internal import Glibc
internal import Reactor

// The files of the state directory, none of which is a symbolic link.
extension FileDescriptor {
  static func openState(
    _ path: String, _ flags: Int32, mode: UInt32 = 0
  ) throws(SystemError) -> FileDescriptor {
    try open(path, flags | O_NOFOLLOW, mode: mode)
  }

  /// Everything, at most `bytesMax` bytes; more than that throws `.invalidArgument`.
  func read(bytesMax: Int) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(rawValue, &chunk, chunk.count)
      guard count >= 0 else {
        let error = SystemError.last
        guard error == .interrupted else { throw error }
        continue
      }
      guard count > 0 else { return content }
      content += chunk.prefix(count)
      guard content.count <= bytesMax else { throw .invalidArgument }
    }
  }

  func write(_ content: [UInt8]) throws(SystemError) {
    var rest = content[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(rawValue, $0.baseAddress, $0.count)
      }
      guard count < 0 else {
        // No kernel writes nothing of something; to ask it for ever would be worse than to say so.
        guard count > 0 else { throw .inputOutput }
        rest = rest.dropFirst(count)
        continue
      }
      let error = SystemError.last
      guard error == .interrupted else { throw error }
    }
  }

  /// The owner last: of a file of somebody else only a privilege of its own lets change the rest.
  /// An access list comes with a mode, so the mode that is asked for comes after it. What the file
  /// system does not take of the attributes is left out.
  func grant(_ access: FileAccess) throws(SystemError) {
    for attribute in access.attributes { attribute.set(on: rawValue) }
    guard fchmod(rawValue, access.mode) == 0, fchown(rawValue, access.owner, access.group) == 0
    else { throw .last }
  }

  func synchronize() throws(SystemError) {
    guard fsync(rawValue) == 0 else { throw .last }
  }

  func truncate(to byteCount: Int = 0) throws(SystemError) {
    guard ftruncate(rawValue, byteCount) == 0 else { throw .last }
  }

  /// flock(2), for as long as this lives; `.wouldBlock`: another has it.
  func lock() throws(SystemError) {
    guard flock(rawValue, LOCK_EX | LOCK_NB) == 0 else { throw .last }
  }

  /// Also for copies of the descriptor that others have.
  func unlock() { _ = flock(rawValue, LOCK_UN) }
}
