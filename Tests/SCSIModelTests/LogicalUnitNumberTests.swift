import SCSIModel
import Testing

@Suite struct LogicalUnitNumberTests {
  @Test("All 16384 numbers survive their field, peripheral below 256 and flat above")
  func roundTrip() {
    for number in 0...LogicalUnitNumber.numberMax {
      #expect(
        LogicalUnitNumber(field: LogicalUnitNumber.number(number).field) == .number(number))
    }
    #expect(LogicalUnitNumber.number(255).field == 0x00FF_0000_0000_0000)
    #expect(LogicalUnitNumber.number(256).field == 0x4100_0000_0000_0000)
    #expect(LogicalUnitNumber.number(16_383).field == 0x7FFF_0000_0000_0000)
  }

  @Test("Flat addressing of a small number names the same unit")
  func flatSmall() {
    #expect(LogicalUnitNumber(field: 0x4005_0000_0000_0000) == .number(5))
  }

  @Test("Other buses, second levels and extended forms name no unit; REPORT LUNS is well known")
  func others() {
    #expect(LogicalUnitNumber(field: 0x0105_0000_0000_0000) == nil)
    #expect(LogicalUnitNumber(field: 0x0005_0001_0000_0000) == nil)
    #expect(LogicalUnitNumber(field: 0x0005_0000_0000_0001) == nil)
    #expect(LogicalUnitNumber(field: 0x8005_0000_0000_0000) == nil)
    #expect(LogicalUnitNumber(field: 0xC102_0000_0000_0000) == nil)
    #expect(LogicalUnitNumber(field: 0xD200_0005_0000_0000) == nil)
    #expect(LogicalUnitNumber(field: 0xC101_0000_0000_0000) == .reportLUNs)
    #expect(LogicalUnitNumber.reportLUNs.field == 0xC101_0000_0000_0000)
  }
}
