import AdministrationModel
import Foundation
import Synchronization
import Testing

@testable import TgtCommands

@Suite("tgtadm beside tgt", .serialized)
struct GoldenTests {
  private static let port = "13267"

  /// What tgt would have shown, with the marks of the transcript in place of places.
  private static func marked(
    _ text: String, _ directory: String, _ port: String = GoldenTests.port
  ) -> [String] {
    text.replacingOccurrences(of: directory, with: "@DIR@")
      .replacingOccurrences(of: port, with: "@PORT@").lines
  }

  @Test("Commands answer as they did in tgt, line by line", arguments: Transcript.names)
  func transcript(_ name: String) async throws {
    let bench = try Bench()
    for step in try Transcript(name).steps {
      switch step {
      case .session: bench.logIn()
      case .down:
        bench.daemon.state.withLock { $0.failure = AdministrationError(.unavailable, "gone") }
      case .exchange(let wanted):
        let line = wanted.command.replacingOccurrences(of: "@DIR@", with: Bench.directory)
        let run = await bench.tgtadm(String(line.dropFirst("tgtadm".count)))
        let got = Transcript.Exchange(
          command: wanted.command, output: Self.marked(run.output, Bench.directory),
          errors: Self.marked(run.errors, Bench.directory).filter(Self.isOfTgt), code: run.code)
        #expect(got == wanted)
      }
    }
  }

  /// Reasons and notes are ours, beside what tgt says.
  private static func isOfTgt(_ line: String) -> Bool {
    !line.hasPrefix("    ") && !line.hasPrefix("tgtadm: note: ")
  }

  // MARK: The tgt of this machine

  private static let canRunTgt =
    geteuid() == 0
    && ["/usr/sbin/tgtd", "/usr/sbin/tgtadm"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: $0)
    }

  /// A new tgtd with a control port of its own, ended by its process.
  private struct RealTgt {
    let process = Process()
    let directory = NSTemporaryDirectory() + "tgt-\(UInt64.random(in: 0 ... .max))"
    let controlPort = "\(Int.random(in: 30_000..<32_000))"
    let port = "\(Int.random(in: 14_000..<19_000))"

    func start() async throws {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      for (name, count) in zip("abcdef", 4...9) {
        let path = "\(directory)/\(name).img"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        try FileHandle(forWritingTo: URL(fileURLWithPath: path))
          .truncate(atOffset: UInt64(count) * 8 << 20)
      }
      process.executableURL = URL(fileURLWithPath: "/usr/sbin/tgtd")
      process.arguments = [
        "-f", "-C", controlPort, "--iscsi", "portal=127.0.0.1:\(port)",
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      for _ in 0..<600 {
        if try tgtadm(["--mode", "sys", "--op", "show"]).code == 0 { return }
        try await Task.sleep(for: .milliseconds(50))
      }
    }

    /// tgtd lets SIGTERM pass while it has targets.
    func stop() {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try? FileManager.default.removeItem(atPath: directory)
      for suffix in ["", ".lock"] {
        try? FileManager.default.removeItem(atPath: "/var/run/tgtd/socket.\(controlPort)\(suffix)")
      }
    }

    func tgtadm(_ arguments: [String]) throws -> Run {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/sbin/tgtadm")
      process.arguments = ["-C", controlPort] + arguments
      let (output, errors) = (Pipe(), Pipe())
      process.standardOutput = output
      process.standardError = errors
      try process.run()
      let texts = [output, errors].map {
        String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      }
      process.waitUntilExit()
      return Run(code: process.terminationStatus, output: texts[0], errors: texts[1])
    }
  }

  /// Without those that need an initiator, or no daemon.
  @Test(
    "The tgt of this machine still answers as the transcripts say", .enabled(if: canRunTgt),
    arguments: ["targets", "access", "units", "accounts", "parameters", "offline", "portals"])
  func tgtItself(_ name: String) async throws {
    let real = RealTgt()
    try await real.start()
    defer { real.stop() }
    for case .exchange(let wanted) in try Transcript(name).steps {
      let line = wanted.command.replacingOccurrences(of: "@DIR@", with: real.directory)
      let run = try real.tgtadm(Array(words(line).dropFirst()))
      let got = Transcript.Exchange(
        command: wanted.command, output: Self.marked(run.output, real.directory, real.port),
        errors: Self.marked(run.errors, real.directory, real.port), code: run.code)
      #expect(got == wanted)
    }
  }
}
