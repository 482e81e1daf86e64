import Bytes
import Testing

@Suite("Serial numbers")
struct SerialNumberTests {
  @Test("Order holds across 2^32 and across 2^31", arguments: [UInt32(0), 1 << 31, 0xFFFF_FFFF])
  func wrap(at edge: UInt32) {
    let before = SerialNumber(edge) - 1
    let after = SerialNumber(edge) + 1
    #expect(before.precedes(SerialNumber(edge)) && SerialNumber(edge).precedes(after))
    #expect(!after.precedes(before))
    #expect(after.distance(from: before) == 2 && before.distance(from: after) == -2)
  }

  @Test("The farthest ordered numbers are 2^31 − 1 apart; 2^31 apart each counts as behind")
  func farthest() {
    let zero = SerialNumber(0)
    #expect(zero.precedes(SerialNumber(0x7FFF_FFFF)))
    #expect(SerialNumber(0x7FFF_FFFF).distance(from: zero) == .max)
    #expect(SerialNumber(0x8000_0000).precedes(zero) && zero.precedes(SerialNumber(0x8000_0000)))
    #expect(!zero.precedes(zero))
  }

  @Test("next() gives the number before and wraps to zero")
  func next() {
    var number = SerialNumber(0xFFFF_FFFF)
    #expect(number.next().rawValue == 0xFFFF_FFFF)
    #expect(number.next().rawValue == 0 && number.rawValue == 1)
  }
}

@Suite("CRC32C")
struct CRC32CTests {
  private func wire(_ bytes: [UInt8]) -> [UInt8] {
    var crc = CRC32C()
    crc.update(bytes)
    let digest = crc.wireBytes
    return (0..<4).map { digest[$0] }
  }

  @Test("The check value of 123456789")
  func checkValue() {
    var crc = CRC32C()
    crc.update(Array("123456789".utf8))
    #expect(crc.value == 0xE306_9283)
  }

  @Test("The examples of RFC 7143 Appendix A, in the order of the wire")
  func examples() {
    #expect(wire(Array(repeating: 0, count: 32)) == [0xAA, 0x36, 0x91, 0x8A])
    #expect(wire(Array(repeating: 0xFF, count: 32)) == [0x43, 0xAB, 0xA8, 0x62])
    #expect(wire(Array(0...31)) == [0x4E, 0x79, 0xDD, 0x46])
    #expect(wire(Array((0...31).reversed())) == [0x5C, 0xDB, 0x3F, 0x11])
    let read10: [UInt8] = [
      0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00,
      0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
      0x18,
      0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00,
    ]
    #expect(wire(read10) == [0x56, 0x3A, 0x96, 0xD9])
  }

  @Test("Cut into pieces anywhere, the digest is the same")
  func pieces() {
    let bytes = (0..<100).map { UInt8($0 * 7 % 256) }
    for cut in 0...bytes.count {
      var crc = CRC32C()
      crc.update(Array(bytes[..<cut]))
      crc.update(Array(bytes[cut...]))
      let digest = crc.wireBytes
      #expect((0..<4).map { digest[$0] } == wire(bytes))
    }
    var crc = CRC32C()
    crc.update(InlineArray<32, UInt8>(repeating: 0))
    #expect(crc.value == 0x8A91_36AA)
  }
}

@Suite("Byte cursors")
struct ByteCursorTests {
  @Test("A reader gives back what a writer wrote, in the order of the network")
  func roundTrip() {
    var writer = ByteWriter(reserving: 32)
    writer.uint8(0x01)
    writer.uint16(0x0203)
    writer.uint24(0x04_0506)
    writer.uint32(0x0708_090A)
    writer.uint64(0x0B0C_0D0E_0F10_1112)
    #expect(writer.bytes == Array(1...18))
    var reader = ByteReader(writer.bytes)
    #expect(reader.uint8() == 0x01)
    #expect(reader.uint16() == 0x0203)
    #expect(reader.skip(3) == true)
    #expect(reader.uint32() == 0x0708_090A)
    #expect(reader.uint64() == 0x0B0C_0D0E_0F10_1112)
    #expect(reader.remaining == 0 && reader.uint8() == nil)
  }

  @Test("A reader past the end answers nil and stays where it was")
  func pastTheEnd() {
    var reader = ByteReader([1, 2, 3])
    #expect(reader.uint32() == nil && reader.uint64() == nil)
    #expect(reader.bytes(4) == nil && reader.bytes(-1) == nil && reader.bytes(.max) == nil)
    #expect(reader.skip(4) == false)
    #expect(reader.offset == 0)
    #expect(reader.uint16() == 0x0102 && reader.uint16() == nil && reader.uint8() == 3)
  }

  @Test("ASCII fields are cut, padded and cleaned")
  func fields() {
    var writer = ByteWriter()
    writer.leftAlignedASCII("ab\u{7}cdef", width: 4)
    writer.leftAlignedASCII("xy", width: 4)
    #expect(writer.bytes == Array("ab?cxy  ".utf8))
  }

  @Test("Integers in a fixed block read back as written")
  func fixedBlock() {
    var block = InlineArray<16, UInt8>(repeating: 0)
    block.setBigEndian(UInt16(0x0102), at: 1)
    block.setBigEndianUInt24(0xFF_FFFF, at: 3)
    block.setBigEndian(UInt64(0x8899_AABB_CCDD_EEFF), at: 8)
    #expect(block[1] == 1 && block[2] == 2)
    #expect(block.bigEndianUInt16(at: 1) == 0x0102 && block.bigEndianUInt24(at: 3) == 0xFF_FFFF)
    #expect(block.bigEndianUInt64(at: 8) == 0x8899_AABB_CCDD_EEFF)
    #expect(block.bigEndianUInt32(at: 12) == 0xCCDD_EEFF)
  }
}
