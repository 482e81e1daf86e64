import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Buffers of READ BUFFER and WRITE BUFFER")
struct TransportBufferTests {
  @Test("Buffers are kept for the last nexuses that wrote; who lost his echo is told so")
  func buffers() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let write: [UInt8] = [0x3B, 0x0A, 0, 0, 0, 0, 0, 0, 3, 0]
    let read: [UInt8] = [0x3C, 0x0A, 0, 0, 0, 0, 0, 0, 64, 0]
    #expect(bench.run(write, out: [1, 2, 3]).summary == "good")
    let others = (0..<TransportBuffers.nexusesMax + 40).map {
      bench.secondNexus(named: "other\($0)")
    }
    for (index, other) in others.enumerated() {
      guard let unit = other.unitNexus(at: 0) else { continue }
      if index == TransportBuffers.nexusesMax - 1 {
        #expect(bench.run(read).data == [1, 2, 3])
      }
      bench.server.transportBuffers.write(unit) { $0.echo = [9] }
      #expect(bench.server.transportBuffers.all.count <= TransportBuffers.nexusesMax)
    }
    #expect(bench.run(read).summary == "0B/3F/0F")
    #expect(bench.run(write, out: [4, 5, 6]).summary == "good")
    #expect(bench.run(read).data == [4, 5, 6])
    for other in others { other.detachAll() }
    #expect(bench.server.transportBuffers.all.count == 1)
  }
}
