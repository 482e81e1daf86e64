import Testing

@testable import BackingStore

@Suite("What a loop device is on")
struct StoreIdentityTests {
  private static let file = StoreIdentity.file(device: 1, inode: 2)

  private static func device(_ minor: UInt64) -> StoreIdentity {
    .blockDevice(number: 7 << 8 | minor)
  }

  private static func resolved(
    _ identity: StoreIdentity, _ backings: [(minor: UInt64, backing: LoopBacking)]
  ) -> StoreIdentity {
    identity.resolved { number in
      backings.first { device($0.minor) == .blockDevice(number: number) }?.backing
    }
  }

  @Test("A loop device is the file it is on, also through another loop device")
  func file() {
    let backings: [(minor: UInt64, backing: LoopBacking)] = [
      (1, LoopBacking(identity: Self.file, isPart: false)),
      (2, LoopBacking(identity: Self.device(1), isPart: false)),
    ]
    for identity in [Self.file, Self.device(1), Self.device(2)] {
      #expect(Self.resolved(identity, backings) == Self.file)
    }
  }

  @Test("A loop device on a part of a file or of a device, or on nothing, is itself")
  func itself() {
    let backings: [(minor: UInt64, backing: LoopBacking)] = [
      (1, LoopBacking(identity: Self.file, isPart: true)),
      (2, LoopBacking(identity: Self.device(1), isPart: false)),
      (4, LoopBacking(identity: Self.device(4), isPart: false)),
    ]
    #expect(Self.resolved(Self.device(1), backings) == Self.device(1))
    #expect(Self.resolved(Self.device(2), backings) == Self.device(1))
    #expect(Self.resolved(Self.device(3), backings) == Self.device(3))
    #expect(Self.resolved(Self.device(4), backings) == Self.device(4), "a circle ends")
  }

  @Test("What is no loop device is not opened for that")
  func others() {
    #expect(LoopBacking(ofDevice: 8 << 8, at: "/dev/null") == nil)
    #expect(LoopBacking(ofDevice: 7 << 8 | 250, at: "/dev/null") == nil)
  }
}
