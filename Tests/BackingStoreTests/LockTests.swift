import CLinux
import Glibc
import Reactor
import Testing

@testable import BackingStore

@Suite("The gate")
struct LockTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test("T-LOCK: the second opener of a file serves nothing until the first has let go")
  func waits() throws {
    let path = scratch("a.img")
    var first: DescriptorStore? = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    let second = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(first?.readiness == .ready)
    #expect(second.readiness == .waitingForLock)

    let bench = StoreBench()
    #expect(try bench.write(.pattern(512), at: 0, to: second) == .notReady)
    #expect(try bench.read(512, at: 0, of: second).failure == .notReady)
    #expect(try bench.synchronize(second) == .notReady)
    #expect(bench.engine.calls.isEmpty)

    #expect(try !second.retryLock())
    #expect(second.readiness == .waitingForLock)
    first = nil
    #expect(try second.getsLock)
    #expect(second.readiness == .ready)
    #expect(try second.retryLock(), "it stays so")
    #expect(try bench.write(.pattern(512), at: 0, to: second) == nil)
  }

  @Test("A file that was removed while its lock was held is never served: it has no name")
  func removed() throws {
    let path = scratch("a.img")
    var first: DescriptorStore? = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    let second = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    first?.removeMadeFile()
    #expect(scratch.names.isEmpty)
    first = nil
    let error = #expect(throws: StoreError.self) { try second.getsLock }
    #expect(error?.reason == .replaced)
    #expect(second.readiness == .unusable)
  }

  @Test("A file that was made is not removed while another has its lock: it may be served there")
  func madeForAnother() throws {
    let path = scratch("a.img")
    let made = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    made.descriptor.unlock()
    let other = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(other.readiness == .ready)
    made.removeMadeFile()
    #expect(scratch.names == ["a.img"])
  }

  @Test("A file is not extended before the lock is granted")
  func extendsLater() throws {
    let path = try scratch.makeFile("a.img", size: 4096)
    var first: DescriptorStore? = try open(StoreOptions(path: path))
    let second = try open(StoreOptions(path: path, sizeBytes: 8192))
    #expect(try status(path).st_size == 4096)
    #expect(first?.geometry.capacityBytes == 4096)
    first = nil
    #expect(try second.getsLock)
    #expect(try status(path).st_size == 8192)
  }

  @Test("A file that was cut while its lock was awaited stays closed, and is not repaired")
  func cutMeanwhile() throws {
    let path = try scratch.makeFile("a.img", size: 8192)
    var first: DescriptorStore? = try open(StoreOptions(path: path))
    let second = try open(StoreOptions(path: path))
    try #require(truncate(path, 4096) == 0)
    #expect(first?.readiness == .ready)
    first = nil
    let error = #expect(throws: StoreError.self) { try second.getsLock }
    #expect(error?.reason == .shrank(actual: 4096, presented: 8192))
    #expect(second.readiness == .unusable, "nothing waits any more")
    #expect(try status(path).st_size == 4096)
    #expect(try open(StoreOptions(path: path)).readiness == .ready, "its lock is free")
    let bench = StoreBench()
    #expect(try bench.write(.pattern(512), at: 0, to: second) == .gone)
  }

  @Test(
    "What the system has not when the lock is tried is waited for, and what the medium says is not",
    arguments: [
      (ENOLCK, .waitingForLock), (ENOMEM, .waitingForLock), (EMFILE, .waitingForLock),
      (ENFILE, .waitingForLock), (EIO, .unusable), (ESTALE, .unusable), (ENOENT, .unusable),
    ] as [(Int32, StoreReadiness)])
  func failedAttempt(error: Int32, readiness: StoreReadiness) throws {
    let path = try scratch.makeFile("a.img", size: 4096)
    var first: DescriptorStore? = try open(StoreOptions(path: path))
    let second = try open(StoreOptions(path: path))
    #expect(first?.readiness == .ready)
    let reason = StoreError.Reason.system(call: "flock", SystemError(rawValue: error))
    second.noteFailedLock(StoreError(path, reason))
    #expect(second.readiness == readiness)
    first = nil
    guard readiness == .waitingForLock else { return }
    #expect(try second.getsLock)
    #expect(second.readiness == .ready)
  }

  @Test("A file that has grown past its size while its lock was awaited serves it, and is not cut")
  func grownMeanwhile() throws {
    let path = try scratch.makeFile("a.img", size: 8192)
    var first: DescriptorStore? = try open(StoreOptions(path: path))
    let second = try open(StoreOptions(path: path, sizeBytes: 8192))
    try #require(truncate(path, 16384) == 0)
    #expect(first?.readiness == .ready)
    first = nil
    #expect(try second.getsLock)
    #expect(second.readiness == .ready && second.geometry.capacityBytes == 8192)
    #expect(try second.findExcessBytes() == 8192)
    #expect(try status(path).st_size == 16384)
  }

  @Test("Read-only stores share the lock with each other but with no writer")
  func shared() throws {
    let path = try scratch.makeFile("a.img", size: 4096)
    var first: DescriptorStore? = try open(StoreOptions(path: path, isReadOnly: true))
    let second = try open(StoreOptions(path: path, isReadOnly: true))
    #expect(first?.readiness == .ready && second.readiness == .ready)
    #expect(try open(StoreOptions(path: path)).readiness == .waitingForLock)
    first = nil
    #expect(try open(StoreOptions(path: path)).readiness == .waitingForLock)
  }
}
