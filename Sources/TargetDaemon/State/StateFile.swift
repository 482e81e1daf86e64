internal import Glibc
internal import Reactor

/// Files that are old or new after a crash, never torn.
enum StateFile {
  /// Why a file was not replaced.
  enum ReplaceError: Error, Equatable {
    /// It holds what it held before.
    case unchanged(SystemError)
    /// It may hold the one or the other, and after a loss of power the one again or the other.
    case uncertain(SystemError)

    var cause: SystemError {
      switch self {
      case .unchanged(let error), .uncertain(let error): error
      }
    }
  }

  /// Replaces the content of `directory`/`name`: a new file (0600, or with `access`), fsync,
  /// rename, and fsync of the directory, in this order. Where there is no room for a new file, the
  /// `spare` one is taken. The new file has the name `temporary` until then, which nobody else may
  /// have a use for; one that a crash left behind is replaced. `lastLook` is the last that happens
  /// before the rename, and may keep it from happening.
  static func replace(
    _ name: String, in directory: String, with content: [UInt8], access: FileAccess? = nil,
    temporary: String? = nil, on fileSystem: some StateFileSystem = KernelFileSystem(),
    orWith spare: SpareFile? = nil, lastLook: () throws(SystemError) -> Void = {}
  ) throws(ReplaceError) {
    let path = "\(directory)/\(name)"
    let temporary = temporary.map { "\(directory)/\($0)" } ?? path + ".new"
    do throws(SystemError) {
      try make(temporary, with: content, access, on: fileSystem)
      do throws(SystemError) { try lastLook() } catch {
        try? fileSystem.remove(temporary)
        throw error
      }
    } catch {
      guard let spare, error.isLackOfRoom else { throw .unchanged(error) }
      return try spare.replace(name, with: content, for: error)
    }
    do throws(SystemError) {
      // A rename that failed may have happened all the same, on a file system behind a network.
      try fileSystem.rename(temporary, to: path)
      try fileSystem.synchronizeDirectory(directory)
    } catch {
      throw .uncertain(error)
    }
  }

  /// Removes `directory`/`name`, if it is there, to last.
  static func remove(
    _ name: String, in directory: String, on fileSystem: some StateFileSystem = KernelFileSystem()
  ) throws(ReplaceError) {
    do throws(SystemError) {
      do throws(SystemError) { try fileSystem.remove("\(directory)/\(name)") } catch {
        guard error == .noSuchFile else { throw error }
      }
      try fileSystem.synchronizeDirectory(directory)
    } catch {
      throw .uncertain(error)
    }
  }

  private static func make(
    _ path: String, with content: [UInt8], _ access: FileAccess?,
    on fileSystem: some StateFileSystem
  ) throws(SystemError) {
    // One that a crash left behind: the name is ours alone.
    try? fileSystem.remove(path)
    let file = try fileSystem.create(path)
    do throws(SystemError) {
      try file.write(content)
      if let access { try file.grant(access) }
      try file.synchronize()
    } catch {
      try? fileSystem.remove(path)
      throw error
    }
  }

  /// Nil: there is no such file. For what is never written, such as the files of /proc.
  static func content(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try FileDescriptor.openState(path, O_RDONLY).read(bytesMax: bytesMax)
    } catch {
      guard error == .noSuchFile else { throw error }
      return nil
    }
  }

  /// The first name that `directory` gives, but for that of a spare; nil: it is empty, or there is
  /// none.
  static func anyName(in directory: String) throws(SystemError) -> String? {
    try names(in: directory, countMax: 1).first
  }

  /// The names in `directory`, at most `countMax`, but for that of a spare.
  static func names(
    in directory: String, countMax: Int = .max
  ) throws(SystemError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      let error = SystemError.last
      guard error == .noSuchFile else { throw error }
      return []
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count < countMax {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .last }
        break
      }
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if ![".", "..", SpareFile.name, SpareFile.formerName].contains(name) { names.append(name) }
    }
    return names
  }

  /// One that is there already is as good.
  static func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) {
    guard unsafe mkdir(path, mode) != 0, errno != EEXIST else { return }
    throw .last
  }

  static func synchronizeDirectory(_ path: String) throws(SystemError) {
    try KernelFileSystem().synchronizeDirectory(path)
  }
}
