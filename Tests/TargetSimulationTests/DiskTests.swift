import Reactor
import TargetSimulation
import Testing

@Suite("Simulated disk")
struct DiskTests {
  struct Setting {
    let world: SimulatedWorld
    let reactor: Reactor
    let disk: SimulatedDisk
    let recorder = Recorder()

    init(seed: UInt64) {
      world = SimulatedWorld(seed: seed)
      reactor = world.makeReactor()
      disk = world.makeDisk(sizeBytes: 1 << 20)
    }

    /// Starts a write of `count` bytes of `byte`.
    func write(
      _ byte: UInt8, at offset: UInt64, count: Int, isDurable: Bool = false, context: UInt32 = 0
    ) {
      let buffer = reactor.buffers.allocate(count)!
      buffer.fill(0..<count, with: byte)
      reactor.write(
        disk.file, from: buffer.slice(0..<count), at: offset, isDurable: isDurable, for: recorder,
        context: context)
    }

    func settle() { world.runUntilQuiescent([reactor]) }
  }

  @Test("a write has not landed when it starts and has when it completes")
  func effectInstant() {
    let setting = Setting(seed: 1)
    let start = setting.world.now
    setting.write(7, at: 512, count: 1024)
    #expect(setting.disk.writesLanded.isEmpty)
    setting.settle()
    #expect(setting.recorder.values == [1024])
    #expect(setting.disk.visibleBytes(512..<1536).allSatisfy { $0 == 7 })
    #expect(setting.disk.visibleBytes(0..<512).allSatisfy { $0 == 0 })
    let landed = setting.disk.writesLanded[0]
    #expect(landed.offset == 512 && landed.count == 1024)
    #expect(landed.time >= start && landed.time <= setting.world.now)
  }

  @Test("two writes in flight land and complete in either order, by seed")
  func reordering() {
    var completionOrders: Set<[UInt32]> = []
    var contents: Set<UInt8> = []
    for seed in 1...40 as ClosedRange<UInt64> {
      let setting = Setting(seed: seed)
      setting.write(1, at: 0, count: 512, context: 1)
      setting.write(2, at: 0, count: 512, context: 2)
      setting.settle()
      completionOrders.insert(setting.recorder.contexts)
      contents.insert(setting.disk.visibleBytes(0..<1)[0])
    }
    #expect(completionOrders == [[1, 2], [2, 1]])
    #expect(contents == [1, 2])
  }

  @Test("a read brings garbage until it completes, then what was written")
  func readMemory() {
    let setting = Setting(seed: 2)
    setting.disk.fill(pattern(4096), at: 4096)
    let buffer = setting.reactor.buffers.allocate(4096)!
    setting.reactor.read(
      setting.disk.file, into: buffer.slice(0..<4096), at: 4096, for: setting.recorder)
    #expect(buffer.bytes(0..<4096) != pattern(4096))
    setting.settle()
    #expect(buffer.bytes(0..<4096) == pattern(4096))
    #expect(setting.recorder.values == [4096])
  }

  @Test("a crash never loses what was synchronized or written durably")
  func crashKeepsDurable() {
    for seed in 1...50 as ClosedRange<UInt64> {
      let setting = Setting(seed: seed)
      setting.write(1, at: 0, count: 8192)
      setting.settle()
      setting.reactor.synchronize(setting.disk.file, for: setting.recorder)
      setting.settle()
      setting.write(2, at: 16384, count: 8192, isDurable: true)
      setting.settle()
      setting.disk.crash()
      #expect(setting.disk.visibleBytes(0..<8192).allSatisfy { $0 == 1 })
      #expect(setting.disk.visibleBytes(16384..<24576).allSatisfy { $0 == 2 })
      #expect(setting.disk.unsynchronizedBlockCount == 0)
    }
  }

  @Test("after a crash each block that was not synchronized is whole: old or a new version")
  func crashTearsBetweenBlocks() {
    var survivors: Set<UInt8> = []
    for seed in 1...30 as ClosedRange<UInt64> {
      let setting = Setting(seed: seed)
      setting.write(1, at: 0, count: 8192, isDurable: true)
      setting.settle()
      setting.write(2, at: 0, count: 8192)
      setting.settle()
      // Still in flight when power fails.
      setting.write(3, at: 0, count: 8192)
      setting.disk.crash()
      for block in 0..<16 as Range<UInt64> {
        let bytes = Set(setting.disk.visibleBytes(block * 512..<(block + 1) * 512))
        #expect(bytes.count == 1, "seed \(seed), block \(block)")
        survivors.formUnion(bytes)
      }
      setting.settle()
      #expect(setting.recorder.entries.count == 2)
      #expect(setting.reactor.operationsInFlight == 1)
    }
    #expect(survivors == [1, 2, 3])
  }

  @Test("a synchronize covers the writes that had completed, not those that land during it")
  func synchronizeCovers() {
    for seed in 1...30 as ClosedRange<UInt64> {
      let setting = Setting(seed: seed)
      setting.write(1, at: 0, count: 512)
      setting.settle()
      let hang = setting.disk.inject(DiskFault(.hang, on: .synchronize))
      setting.reactor.synchronize(setting.disk.file, for: setting.recorder)
      setting.write(2, at: 512, count: 512)
      setting.settle()
      hang.release()
      setting.settle()
      #expect(setting.disk.durableBytes(0..<512).allSatisfy { $0 == 1 })
      #expect(setting.disk.durableBytes(512..<1024).allSatisfy { $0 == 0 })
      #expect(setting.disk.visibleBytes(512..<1024).allSatisfy { $0 == 2 })
    }
  }

  @Test("a synchronize that failed lost some blocks for good, and a second one does not save them")
  func failedSynchronize() {
    let setting = Setting(seed: 3)
    setting.write(9, at: 0, count: 32 * 512)
    setting.settle()
    setting.disk.inject(DiskFault(.failure(.inputOutput), on: .synchronize))
    setting.reactor.synchronize(setting.disk.file, for: setting.recorder)
    setting.settle()
    setting.reactor.synchronize(setting.disk.file, for: setting.recorder)
    setting.settle()
    #expect(setting.recorder.errors == [nil, .inputOutput, nil])
    #expect(Set(setting.disk.visibleBytes(0..<32 * 512)) == [9])
    #expect(Set(setting.disk.durableBytes(0..<32 * 512)) == [0, 9])
  }

  @Test("a write that hangs neither lands nor completes until released")
  func hang() {
    let setting = Setting(seed: 4)
    let hang = setting.disk.inject(DiskFault(.hang, on: .write, in: 4096..<8192))
    setting.write(1, at: 0, count: 4096, context: 1)
    setting.write(2, at: 4096, count: 4096, context: 2)
    setting.world.run([setting.reactor], for: .seconds(3600))
    #expect(setting.recorder.contexts == [1])
    #expect(hang.heldCount == 1 && setting.disk.operationsInFlight == 1)
    let instant = setting.world.now
    #expect(setting.disk.writesLanded.allSatisfy { $0.time < instant && $0.offset == 0 })
    hang.release()
    setting.settle()
    #expect(setting.recorder.contexts == [1, 2])
    #expect(setting.disk.writesLanded.last.map { $0.time >= instant && $0.offset == 4096 } == true)
  }

  @Test("the n-th write fails and no other, and nothing of it lands", arguments: 0..<5)
  func nthFault(nth: Int) {
    let setting = Setting(seed: 5)
    let fault = setting.disk.inject(
      DiskFault(.failure(.noSpace), on: .write, skipping: nth))
    for index in 0..<5 {
      setting.write(1, at: UInt64(index) * 512, count: 512, context: UInt32(index))
      setting.settle()
    }
    for entry in setting.recorder.entries {
      #expect(entry.result.error == (entry.context == UInt32(nth) ? .noSpace : nil))
      let block = UInt64(entry.context) * 512
      let expected: UInt8 = entry.context == UInt32(nth) ? 0 : 1
      #expect(setting.disk.visibleBytes(block..<block + 512).allSatisfy { $0 == expected })
    }
    #expect(fault.hits == 1 && fault.isOver)
    #expect(setting.disk.startedCount(.write) == 5)
  }

  @Test(
    "a short count moves so many bytes, a delay takes so much longer, EIO may land all the same")
  func otherFaults() {
    let setting = Setting(seed: 6)
    setting.disk.inject(DiskFault(.shortCount(700), on: .write))
    setting.write(1, at: 0, count: 1024)
    setting.settle()
    #expect(setting.recorder.values == [700])
    #expect(setting.disk.visibleBytes(699..<701) == [1, 0])
    let start = setting.world.now
    setting.disk.inject(DiskFault(.delay(.seconds(5)), on: .write))
    setting.write(2, at: 0, count: 1024)
    setting.settle()
    #expect(setting.world.now >= start + .seconds(5))
    setting.disk.inject(DiskFault(.failure(.inputOutput, lands: true), on: .write))
    setting.write(3, at: 0, count: 1024)
    setting.settle()
    #expect(setting.recorder.errors.last == .inputOutput)
    #expect(setting.disk.visibleBytes(0..<1024).allSatisfy { $0 == 3 })
  }

  @Test("a punched hole reads as zeros, frees whole blocks and keeps its neighbours")
  func punchHole() {
    let setting = Setting(seed: 7)
    setting.write(1, at: 0, count: 4096)
    setting.settle()
    setting.reactor.allocate(
      setting.disk.file, .punchHole, at: 256, count: 1024, for: setting.recorder)
    setting.settle()
    #expect(setting.recorder.values == [4096, 0])
    #expect(setting.disk.visibleBytes(0..<256).allSatisfy { $0 == 1 })
    #expect(setting.disk.visibleBytes(256..<1280).allSatisfy { $0 == 0 })
    #expect(setting.disk.visibleBytes(1280..<4096).allSatisfy { $0 == 1 })
    #expect(setting.disk.allocatedBytes == 4096 - 512)
  }

  @Test("transfers past the end are short, at the end a read brings 0 and a write ENOSPC")
  func endOfDisk() {
    let setting = Setting(seed: 8)
    let size = setting.disk.sizeBytes
    setting.write(1, at: size - 512, count: 1024)
    setting.settle()
    setting.write(1, at: size, count: 512)
    setting.settle()
    let buffer = setting.reactor.buffers.allocate(512)!
    setting.reactor.read(
      setting.disk.file, into: buffer.slice(0..<512), at: size, for: setting.recorder)
    setting.settle()
    #expect(setting.recorder.values == [512, nil, 0])
    #expect(setting.recorder.errors[1] == .noSpace)
  }

  @Test("a killed process hears nothing more, but what it submitted still lands")
  func killProcess() {
    let setting = Setting(seed: 9)
    setting.write(5, at: 0, count: 512)
    setting.world.killProcess([setting.reactor])
    setting.settle()
    #expect(setting.recorder.entries.isEmpty)
    #expect(setting.disk.writesLanded.count == 1)
  }
}
