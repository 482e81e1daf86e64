import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite("File operations")
struct FileOperationTests {
  struct Setting: CustomTestStringConvertible {
    let engine: RealEngine
    let isBuffered: Bool
    var testDescription: String { "\(engine), \(isBuffered ? "buffered" : "O_DIRECT")" }

    static let all = RealEngine.allCases.flatMap { engine in
      [true, false].map { Setting(engine: engine, isBuffered: $0) }
    }
  }

  private struct Bench {
    let reactor: Reactor
    let file: TemporaryFile
    let buffer: Buffer

    init(_ setting: Setting) throws {
      reactor = try setting.engine.reactor()
      file = try TemporaryFile(isBuffered: setting.isBuffered, count: 1 << 20)
      buffer = try #require(reactor.buffers.allocate(256 << 10))
    }

    func write(_ range: Range<Int>, at offset: UInt64, isDurable: Bool) throws -> OperationResult {
      try reactor.result {
        reactor.write(
          file.handle, from: buffer.slice(range), at: offset, isDurable: isDurable, for: $0)
      }
    }

    func read(_ range: Range<Int>, at offset: UInt64) throws -> OperationResult {
      try reactor.result {
        reactor.read(file.handle, into: buffer.slice(range), at: offset, for: $0)
      }
    }

    func allocate(_ mode: AllocationMode, _ offset: UInt64, _ count: UInt64) throws
      -> OperationResult
    {
      try reactor.result {
        reactor.allocate(file.handle, mode, at: offset, count: count, for: $0)
      }
    }
  }

  @Test("What was written, durably or not, is read back", arguments: Setting.all)
  func roundTrip(_ setting: Setting) throws {
    let bench = try Bench(setting)
    bench.buffer.fill(0..<8192, with: 0xA5)
    bench.buffer.fill(8192..<12288, with: 0x5A)
    #expect(try bench.write(0..<8192, at: 4096, isDurable: false).value == 8192)
    #expect(try bench.write(8192..<12288, at: 65536, isDurable: true).value == 4096)
    let synchronized = try bench.reactor.result {
      bench.reactor.synchronize(bench.file.handle, for: $0)
    }
    #expect(synchronized.value == 0)
    #expect(try bench.read(16384..<32768, at: 0).value == 16384)
    #expect(bench.buffer.bytes(16384..<20480) == [UInt8](repeating: 0, count: 4096))
    #expect(bench.buffer.bytes(20480..<28672) == [UInt8](repeating: 0xA5, count: 8192))
    #expect(try bench.read(32768..<36864, at: 65536).value == 4096)
    #expect(bench.buffer.bytes(32768..<36864) == [UInt8](repeating: 0x5A, count: 4096))
  }

  @Test(
    "Punched and zeroed ranges read as zeros and the file keeps its size",
    arguments: Setting.all)
  func allocationModes(_ setting: Setting) throws {
    let bench = try Bench(setting)
    bench.buffer.fill(0..<65536, with: 0xFF)
    #expect(try bench.write(0..<65536, at: 0, isDurable: false).value == 65536)
    #expect(try bench.allocate(.punchHole, 4096, 8192).value == 0)
    // Not every file system can zero a range by metadata (tmpfs cannot).
    let zeroed = try bench.allocate(.zeroRange, 32768, 4096)
    #expect(zeroed.value == 0 || zeroed.error == .notSupported)
    #expect(try bench.read(65536..<131072, at: 0).value == 65536)
    #expect(bench.buffer[65536 + 4095] == 0xFF)
    #expect(bench.buffer.bytes(65536 + 4096..<65536 + 12288).allSatisfy { $0 == 0 })
    #expect(bench.buffer[65536 + 12288] == 0xFF)
    if zeroed.value == 0 {
      #expect(bench.buffer.bytes(98304..<102400).allSatisfy { $0 == 0 })
    }
    #expect(bench.buffer[102400] == 0xFF)
    #expect(lseek(bench.file.handle.rawValue, 0, SEEK_END) == 1 << 20)
  }

  @Test("A turn performs so many reads and bytes on the spot, and no more until the next")
  func inlineReads() throws {
    let bench = try Bench(Setting(engine: .aio, isBuffered: true))
    var reader = InlineReader()
    func reads(_ count: Int) -> Int {
      let slice = bench.buffer.slice(0..<count)
      for number in 0..<1000
      where reader.read(bench.file.handle, into: slice, at: 0) == nil { return number }
      return 1000
    }
    // Into the page cache.
    #expect(try bench.read(0..<65536, at: 0).value == 65536)
    #expect(reads(4096) == InlineReader.readsPerTurnMax)
    #expect(reads(4096) == 0)
    reader.turnBegan()
    #expect(reads(65536) == InlineReader.bytesPerTurnMax / 65536)
    reader.turnBegan()
    #expect(reads(4096) == InlineReader.readsPerTurnMax)
  }

  @Test("A read across the end is short, one behind it answers 0", arguments: Setting.all)
  func endOfFile(_ setting: Setting) throws {
    let bench = try Bench(setting)
    #expect(try bench.read(0..<16384, at: (1 << 20) - 4096).value == 4096)
    #expect(try bench.read(0..<4096, at: 1 << 20).value == 0)
  }

  @Test("A descriptor that is not open answers EBADF", arguments: Setting.all)
  func badDescriptor(_ setting: Setting) throws {
    let bench = try Bench(setting)
    let reactor = bench.reactor
    let bad = FileHandle(
      rawValue: 999_999, isBuffered: setting.isBuffered, device: DeviceNumber(rawValue: 1))
    let slice = bench.buffer.slice(0..<4096)
    let results = try [
      reactor.result { reactor.read(bad, into: slice, at: 0, for: $0) },
      reactor.result { reactor.write(bad, from: slice, at: 0, isDurable: false, for: $0) },
      reactor.result { reactor.write(bad, from: slice, at: 0, isDurable: true, for: $0) },
      reactor.result { reactor.synchronize(bad, for: $0) },
      reactor.result { reactor.allocate(bad, .punchHole, at: 0, count: 4096, for: $0) },
    ]
    #expect(results.map(\.error) == Array(repeating: SystemError(rawValue: EBADF), count: 5))
  }

  @Test(
    "A range past the largest offset answers EINVAL, also −1, which io_uring would misread",
    arguments: Setting.all)
  func offsetTooLarge(_ setting: Setting) throws {
    let bench = try Bench(setting)
    for offset in [UInt64.max, UInt64(Int64.max) - 4095, 1 << 63] {
      #expect(try bench.read(0..<8192, at: offset).error == .invalidArgument)
      #expect(try bench.write(0..<8192, at: offset, isDurable: false).error == .invalidArgument)
      #expect(try bench.allocate(.punchHole, offset, 8192).error == .invalidArgument)
    }
    #expect(try bench.allocate(.punchHole, 4096, UInt64.max).error == .invalidArgument)
  }

  @Test("Many writes in one turn all land", arguments: Setting.all)
  func manyWrites(_ setting: Setting) throws {
    let bench = try Bench(setting)
    let recorder = Recorder()
    for block in 0..<200 {
      let range = block % 64 * 4096..<(block % 64 + 1) * 4096
      bench.buffer.fill(range, with: UInt8(block % 64 + 1))
      bench.reactor.write(
        bench.file.handle, from: bench.buffer.slice(range), at: UInt64(block) * 4096,
        isDurable: false, for: recorder, context: UInt32(block))
    }
    try bench.reactor.turn { recorder.results.count == 200 }
    #expect(recorder.results.values.allSatisfy { $0.value == 4096 })
    for block in 0..<200 {
      _ = try bench.read(0..<4096, at: UInt64(block) * 4096)
      #expect(bench.buffer[0] == UInt8(block % 64 + 1))
      #expect(bench.buffer[4095] == UInt8(block % 64 + 1))
    }
  }
}
