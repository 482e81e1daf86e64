internal import CLinux
internal import Glibc

/// An extended attribute of a file that somebody has set for people or programs, or its access list
/// (xattr(7)). Labels of security modules are not among them: they come by rules of the system's.
struct FileAttribute: Sendable, Equatable {
  /// The kernel's bound for all names of a file, and for one value (XATTR_LIST_MAX,
  /// XATTR_SIZE_MAX), in bytes.
  private static let bytesMax = 65_536

  let name: String
  let value: [UInt8]

  /// None, where the file system has none or does not tell.
  static func all(ofFileAt path: String) -> [FileAttribute] {
    var names = [CChar](repeating: 0, count: bytesMax)
    let count = unsafe listxattr(path, &names, names.count)
    guard count > 0 else { return [] }
    return names.prefix(count).split(separator: 0).compactMap { bytes in
      let name = String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard name.hasPrefix("user.") || name == "system.posix_acl_access" else { return nil }
      return FileAttribute(name, ofFileAt: path)
    }
  }

  private init?(_ name: String, ofFileAt path: String) {
    var value = [UInt8](repeating: 0, count: Self.bytesMax)
    let count = unsafe getxattr(path, name, &value, value.count)
    guard count >= 0 else { return nil }
    self.name = name
    self.value = Array(value.prefix(count))
  }

  func set(on descriptor: Int32) {
    unsafe _ = fsetxattr(descriptor, name, value, value.count, 0)
  }
}
