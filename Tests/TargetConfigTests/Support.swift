import Glibc
import Testing

@testable import TargetConfig

/// What the loader says about a text: the lines of its error, or none.
func problems(_ text: String) -> [String] {
  do throws(ConfigurationError) {
    _ = try ConfigurationLoader.load(text: text, directory: "/etc/swift-tgtd")
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

/// The warnings of a text that loads.
func warnings(_ text: String) throws -> [String] {
  try loaded(text).warnings.map(\.description)
}

func loaded(_ text: String) throws -> LoadedConfiguration {
  try ConfigurationLoader.load(text: text, directory: "/etc/swift-tgtd")
}

/// A configuration with one store of those keys, and a target that presents it.
func store(_ keys: String) -> String {
  """
  {"stores": {"a": {
    \(keys)
  }},
  "targets": [{"name": "iqn.2026-11.com.example:a", "initiators": "any",
    "luns": [{"lun": 0, "store": "a"}]}]}
  """
}

/// A configuration with one target of those keys, which stand on line 3, and the stores a and b.
func target(_ keys: String) -> String {
  """
  {"stores": {"a": {"memory": true, "size": "1MiB"}, "b": {"memory": true, "size": "1MiB"}},
  "targets": [{"name": "iqn.2026-11.com.example:t", "initiators": "any",
  \(keys)
  }]}
  """
}

/// A directory of its own, removed with everything in it when the test ends.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/swift-tgtd-config-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) } != nil
    }
    try #require(made)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(path)/\(name)")
      }
      closedir(directory)
    }
    rmdir(path)
  }

  /// Writes a file with exactly that mode, whatever the umask.
  @discardableResult
  func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    try #require(fchmod(descriptor, mode) == 0)
    return file
  }
}

/// The repository's `conf` directory.
let confDirectory: String = {
  let parts = #filePath.split(separator: "/").dropLast(3)
  return "/" + parts.joined(separator: "/") + "/conf"
}()

func contents(_ path: String) throws -> String {
  String(decoding: try BoundedFile.read(path, byteCountMax: 1 << 20).bytes, as: UTF8.self)
}
