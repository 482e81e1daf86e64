import BackingStore
import Reactor
import SCSIModel

@testable import SCSITarget

/// A bench whose initiator sees more logical units than one, and others that exist and are not his.
final class CopyBench {
  let bench: Bench
  private(set) var stores: [TestStore]
  private var servers: [DeviceServer]

  /// Unit 0 is at LUN 0.
  init(_ store: TestStore, memoryBytes: Int = 64 << 20) {
    bench = Bench(store, memoryBytes: memoryBytes)
    stores = [store]
    servers = [bench.server]
  }

  static func naa(_ index: Int) -> [UInt8] {
    index == 0 ? Bench.identity.naa : [0x6A, UInt8(index)] + [UInt8](repeating: 7, count: 14)
  }

  /// Makes a unit, presented at the LUN of its number unless `isMine` is false.
  func add(_ store: TestStore, isReadOnly: Bool = false, isMine: Bool = true) {
    let index = stores.count
    var identity = Bench.identity
    identity.name = "disk\(index)"
    identity.naa = Self.naa(index)
    identity.serial = "S\(index)"
    let unit = LogicalUnit(
      identity: identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0)
    let server = DeviceServer(unit: unit, reactor: bench.reactor)
    stores.append(store)
    servers.append(server)
    guard isMine else { return }
    bench.nexus.attach(
      server, as: UInt16(index), isReadOnly: isReadOnly, attention: .powerOnOccurred)
    _ = nexus(index).takeAttention()
  }

  func nexus(_ index: Int) -> LogicalUnitNexus { bench.nexus.unitNexus(at: UInt16(index))! }
  func server(_ index: Int) -> DeviceServer { servers[index] }

  /// CSCD descriptors of units 0, 1, … by their numbers in `units`.
  static func list(
    _ segments: [CopySegment], units: [Int] = [0, 1], identifier: UInt8 = 1, usage: UInt8 = 0
  ) -> [UInt8] {
    let cscds = units.flatMap { CSCDDescriptor(naa: naa($0), blockLengthBytes: 0).encoded() }
    return [identifier, usage << 3] + CDB.bytes(UInt64(cscds.count), 2) + [0, 0, 0, 0]
      + CDB.bytes(UInt64(segments.count * 28), 4) + [0, 0, 0, 0] + cscds
      + segments.flatMap { $0.encoded() }
  }

  static func cdb(_ action: UInt8, _ length: Int, identifier: UInt32 = 0) -> [UInt8] {
    let name = CDB.bytes(UInt64(identifier), 4)
    return [0x83, action, 0, 0, 0, 0] + name + CDB.bytes(UInt64(length), 4) + [0, 0]
  }

  static func results(_ action: UInt8, identifier: UInt32) -> [UInt8] {
    let name =
      action < 5 ? [UInt8(identifier), 0, 0, 0] : CDB.bytes(UInt64(identifier), 4)
    return [0x84, action] + name + [0, 0, 0, 0] + CDB.bytes(4096, 4) + [0, 0]
  }

  func copy(_ list: [UInt8]) -> Outcome { bench.run(Self.cdb(0, list.count), out: list) }

  /// Begins a copy that goes on.
  func beginCopy(_ list: [UInt8]) -> SCSITask {
    bench.begin(Self.cdb(0, list.count), out: list)
  }

  func turn(_ times: Int = 40) { for _ in 0..<times { bench.reactor.turn() } }
}

extension CopySegment {
  /// From unit `source` of the list to unit `destination`.
  init(_ source: UInt16, _ from: UInt64, to destination: UInt16, _ at: UInt64, _ count: UInt16) {
    self.init(
      source: source, destination: destination, blockCount: count, sourceBlock: from,
      destinationBlock: at)
  }
}
