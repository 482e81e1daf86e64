import Dispatch
import Foundation
import Glibc
import Synchronization
import Testing

@testable import AdministrationServer

@Suite("Files with secrets")
struct SecretFileTests {
  @Test("A file that everybody can read is never taken, however its name changes hands")
  func exchanged() throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let endpoint = try NetworkTests.files(in: directory)
    let (secret, other, next) = ("\(directory)/secret", "\(directory)/known", "\(directory)/next")
    try #require(link(endpoint.tokenFile, secret) == 0)
    try Data("known-to-everybody-0123".utf8).write(to: URL(fileURLWithPath: other))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: other)
    let exchange = Exchange()
    Thread.detachNewThread {
      exchange.alternate([other, secret], by: next, at: endpoint.tokenFile)
    }
    defer { exchange.end() }
    var (known, secrets) = (0, 0)
    for _ in 0..<2000 {
      guard let bytes = try? NetworkListener.secret(endpoint.tokenFile, endpoint) else { continue }
      if bytes.starts(with: "known".utf8) { known += 1 } else { secrets += 1 }
    }
    #expect(known == 0 && secrets > 0)
  }

  /// Who may rename in the directory.
  private final class Exchange: Sendable {
    private let isDone = Atomic(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Gives each of `files` in turn the name `path`.
    func alternate(_ files: [String], by next: String, at path: String) {
      while !isDone.load(ordering: .relaxed) {
        for file in files where link(file, next) == 0 { _ = rename(next, path) }
      }
      hasEnded.signal()
    }

    func end() {
      isDone.store(true, ordering: .relaxed)
      hasEnded.wait()
    }
  }

  @Test("Links, pipes, directories and large files are no secrets")
  func others() throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let file = "\(directory)/file"
    try Data(repeating: 1, count: SecretFile.byteCountMax).write(to: URL(fileURLWithPath: file))
    #expect(SecretFile(file)?.bytes.count == SecretFile.byteCountMax)
    try FileManager.default.createSymbolicLink(
      atPath: "\(directory)/link", withDestinationPath: file)
    try #require(mkfifo("\(directory)/pipe", 0o600) == 0)
    try Data(repeating: 1, count: SecretFile.byteCountMax + 1).write(
      to: URL(fileURLWithPath: "\(directory)/large"))
    for name in ["link", "pipe", "large", "none", "."] {
      #expect(SecretFile("\(directory)/\(name)") == nil, "\(name)")
    }
  }
}
