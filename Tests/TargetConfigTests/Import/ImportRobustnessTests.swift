import Bytes
import Testing

@testable import TargetConfig

@Suite("Imports of files that lie")
struct ImportRobustnessTests {
  /// Loads what it gives, or has an error that is not about our own text.
  private func survives(_ bytes: [UInt8], _ format: ImportFormat) -> Bool {
    do throws(ConfigurationError) {
      _ = try ConfigurationImport.read(bytes, fileName: "file", format: format)
      return true
    } catch {
      return !error.description.contains("does not load") && error.problems.first?.line != nil
    }
  }

  @Test("Every truncation of every sample loads or is an error with a line", arguments: 0..<4)
  func truncations(index: Int) {
    let (format, text) = ImportSample.all[index]
    let bytes = Array(text.utf8)
    var failures: [Int] = []
    for count in 0..<bytes.count where !survives(Array(bytes.prefix(count)), format) {
      failures.append(count)
    }
    #expect(failures == [])
  }

  @Test("Random changes of every sample load or are an error with a line", arguments: 0..<4)
  func mutations(index: Int) {
    let (format, text) = ImportSample.all[index]
    let original = Array(text.utf8)
    var random = SplitMix64(seed: UInt64(index) + 2026)
    var failures: [Int] = []
    for round in 0..<400 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...6, using: &random) { mutate(&bytes, &random) }
      if !survives(bytes, format) { failures.append(round) }
    }
    #expect(failures == [])
  }

  /// Changes, removes, repeats or moves: whole lines more often than bytes, as they still parse.
  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let at = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes.insert(contentsOf: Array("0123456789".utf8), at: at)
    case 3: bytes.remove(at: at)
    default:
      var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
      let from = Int.random(in: lines.indices, using: &random)
      let to = Int.random(in: lines.indices, using: &random)
      if Bool.random(using: &random) { lines[to] = lines[from] } else { lines.swapAt(from, to) }
      bytes = Array(lines.joined(separator: [0x0A]))
    }
  }

  @Test("Each sample is recognised without being told", arguments: 0..<4)
  func detection(index: Int) throws {
    let (format, text) = ImportSample.all[index]
    #expect(try ConfigurationImport.read(text: text, fileName: "x").format == format)
  }

  @Test("What is none of the formats says so", arguments: ["", "hello world\n", "# only\n"])
  func unknown(text: String) {
    #expect(importProblem(text)?.contains("does not look like targets.conf") == true)
  }

  @Test("No note of any sample shows a secret", arguments: 0..<4)
  func secrets(index: Int) throws {
    let (format, text) = ImportSample.all[index]
    let result = try Import(text, format)
    let shown = result.notes.filter { note in
      ["secret-of", "discovery-pass", "12charsecret", "mutual-secret", "left-over"].contains {
        note.contains($0)
      }
    }
    #expect(shown == [])
    #expect(result.text.hasPrefix("// Imported from"))
  }

  @Test("The same file gives the same text")
  func deterministic() throws {
    for (format, text) in ImportSample.all {
      let first = try Import(text, format)
      let second = try Import(text, format)
      #expect(first.text == second.text)
      #expect(first.notes == second.notes)
    }
  }

  @Test("A file that is too large is an error, not a wait")
  func tooLarge() {
    let bytes = [UInt8](repeating: 0x20, count: ConfigurationImport.byteCountMax + 1)
    do throws(ConfigurationError) {
      _ = try ConfigurationImport.read(bytes, fileName: "file", format: .scst)
      Issue.record("expected an error")
    } catch {
      #expect(error.description == "file:1: is larger than 16MiB")
    }
  }

  @Test("Text that is not UTF-8 names its line", arguments: ImportFormat.allCases)
  func encoding(format: ImportFormat) {
    do throws(ConfigurationError) {
      _ = try ConfigurationImport.read(
        Array("# a\n".utf8) + [0xFF], fileName: "file", format: format)
      Issue.record("expected an error")
    } catch {
      #expect(error.problems.first?.line == 2)
    }
  }

  @Test("A thousand and more initiators of one target stop at what we can hold")
  func manyInitiators() throws {
    let names = (0..<1100).map { "initiator-name iqn.2026-11.com.example:n\($0)" }
    let text = (["<target iqn.2026-11.com.example:t>"] + names + ["</target>"])
      .joined(separator: "\n")
    let result = try Import(text, .targetsConf)
    #expect(try result.target("iqn.2026-11.com.example:t").acl.count == 1024)
    #expect(result.notes(line: 1026, "more than 1024 initiators"))
  }
}
