import Foundation

/// Files of targets.conf in a directory of their own, which goes with them.
final class TargetsConfFiles: Sendable {
  private let directory = NSTemporaryDirectory() + "targets-\(UInt64.random(in: 0 ... .max))"

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Where it stands.
  func add(_ text: String) throws -> String {
    let path = directory + "/\(UInt64.random(in: 0 ... .max)).conf"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}

extension Bench {
  /// Writes a targets.conf, and says where. It goes with the bench.
  func file(_ text: String) throws -> String { try targetsConf.add(text) }

  /// A targets.conf of these targets, each with what stands in it.
  func file(_ targets: [(name: String, lines: String)], global: String = "") throws -> String {
    let blocks = targets.map { "<target \($0.name)>\n\($0.lines)\n</target>\n" }
    return try file(global + "\n" + blocks.joined())
  }
}
