import SCSIModel
import Testing

@Suite struct InquiryTests {
  @Test("Standard INQUIRY data is 96 bytes of SPC-4 with four version descriptors")
  func standard() {
    let data = StandardInquiryData(
      vendor: "SWIFT", product: "VIRTUAL-DISK-AND-MORE", revision: "1.0"
    ).encoded()
    let identification = "SWIFT   VIRTUAL-DISK-AND1.0 "
    #expect(
      data == [0x00, 0x00, 0x06, 0x12, 0x5B, 0x00, 0x00, 0x02] + Array(identification.utf8)
        + [UInt8](repeating: 0, count: 22)
        + [0x00, 0xA0, 0x04, 0x60, 0x04, 0xC0, 0x09, 0x60]  // SAM-5, SPC-4, SBC-3, iSCSI
        + [UInt8](repeating: 0, count: 30))
    #expect(Peripheral.absent.rawValue == 0x7F)
  }

  @Test("Supported pages are sorted and the serial number is plain ASCII")
  func simplePages() {
    #expect(
      VitalProductData.supportedPages(VitalProductDataPage.ofDisk.reversed()).encoded()
        == [
          0x00, 0x00, 0x00, 0x0D, 0x00, 0x80, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x8F, 0xB0,
          0xB1, 0xB2, 0xB3,
        ])
    #expect(!VitalProductDataPage.ofDisk(withReferrals: false).contains(.referrals))
    #expect(VitalProductDataPage.ofDisk(withReferrals: true) == VitalProductDataPage.ofDisk)
    #expect(
      VitalProductData.unitSerialNumber("AB1").encoded() == [
        0x00, 0x80, 0x00, 0x03, 0x41, 0x42, 0x31,
      ])
  }

  @Test("Device identification starts with NAA-6, and its names are NUL-terminated in fours")
  func deviceIdentification() throws {
    let naa = try #require(NAAIdentifier(high: 0x6001_4051_2345_6789, low: 0xABCD_EF01_2345_6789))
    let page = DeviceIdentification(
      naa: naa, vendor: "SWIFT", vendorSpecific: "s1",
      port: TargetPortIdentity(
        group: 0x0102, relativePort: 3,
        name: TargetPort(name: "iqn.x:ab", portalGroupTag: 0x1F).scsiName),
      targetName: "iqn.x:ab"
    ).page.encoded()
    let port = Array("iqn.x:ab,t,0x001f".utf8) + [0, 0, 0]
    let device = Array("iqn.x:ab".utf8) + [0, 0, 0, 0]
    var expected: [UInt8] = [
      0x01, 0x03, 0x00, 0x10,  // binary, logical unit, NAA
      0x60, 0x01, 0x40, 0x51, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67,
      0x89,
      0x02, 0x01, 0x00, 0x0A,  // ASCII, logical unit, T10 vendor
    ]
    expected += Array("SWIFT   s1".utf8)
    expected += [0x51, 0x94, 0x00, 0x04, 0x00, 0x00, 0x00, 0x03]  // iSCSI, PIV, relative port 3
    expected += [0x51, 0x95, 0x00, 0x04, 0x00, 0x00, 0x01, 0x02]  // target port group 0102h
    expected += [0x53, 0x98, 0x00, 0x14] + port  // UTF-8, port, SCSI name
    expected += [0x53, 0xA8, 0x00, 0x0C] + device  // UTF-8, device, SCSI name
    #expect(page == [0x00, 0x83, 0x00, UInt8(expected.count)] + expected)
    #expect(NAAIdentifier(high: 0x5000_0000_0000_0000, low: 0) == nil)
  }

  @Test("The logical unit group is named after the other names of the unit, or not at all")
  func logicalUnitGroup() {
    var identification = DeviceIdentification(
      naa: NAAIdentifier(companyID: 0x001405, vendorSpecific: 1, extension: 2), vendor: "V",
      vendorSpecific: "s1",
      port: TargetPortIdentity(group: 1, relativePort: 1, name: "iqn.x:ab,t,0x0001"),
      targetName: "iqn.x:ab")
    let without = identification.page.encoded()
    identification.group = 0x0A0B
    let with = identification.page.encoded()
    // Behind the header, NAA (20 bytes) and T10 vendor (14): binary, logical unit, type 6.
    let place = 4 + 20 + 14
    #expect(Array(with[place..<place + 8]) == [0x01, 0x06, 0x00, 0x04, 0x00, 0x00, 0x0A, 0x0B])
    #expect(with[3] == without[3] + 8)
    #expect(Array(with[4..<place] + with[(place + 8)...]) == Array(without[4...]))
  }

  @Test("Names of any length keep each designator's length true and a multiple of four")
  func nameLengths() throws {
    let naa = NAAIdentifier(companyID: 0x001405, vendorSpecific: 1, extension: 2)
    for count in [0, 1, 2, 3, 4, 223, 251, 252, 300, 5000] {
      let name = String(repeating: "n", count: count)
      let page = DeviceIdentification(
        naa: naa, vendor: "V", vendorSpecific: name,
        port: TargetPortIdentity(TargetPort(name: name, portalGroupTag: 1)), targetName: name
      ).page.encoded()
      var rest = page.dropFirst(4)
      var designators = 0
      while rest.count >= 4 {
        let length = Int(rest[rest.startIndex + 3])
        if rest[rest.startIndex + 1] & 0x0F == 8 { #expect(length % 4 == 0) }
        try #require(rest.count >= 4 + length)
        rest = rest.dropFirst(4 + length)
        designators += 1
      }
      #expect(rest.isEmpty)
      #expect(designators == 6)
    }
  }

  @Test("Extended INQUIRY, mode page policy and SCSI ports keep each field at its offset")
  func devicePages() {
    let extended = ExtendedInquiryData(isVolatileCachePresent: true, servesReferrals: true)
      .page.encoded()
    // HEADSUP, ORDSUP, SIMPSUP; V_SUP; LUICLR; R_SUP; MAXIMUM SUPPORTED SENSE DATA LENGTH 252.
    #expect(
      extended == [0x00, 0x86, 0x00, 0x3C, 0x00, 0x07, 0x01, 0x01, 0x10, 0, 0, 0, 0, 252]
        + [UInt8](repeating: 0, count: 50))
    #expect(VitalProductData.modePagePolicy.encoded() == [0, 0x87, 0, 4, 0x3F, 0xFF, 0, 0])
    #expect(VitalProductData.softwareInterfaceIdentification.encoded() == [0, 0x84, 0, 0])
    let ports = SCSIPorts(ports: [
      TargetPortIdentity(group: 2, relativePort: 2, name: "iqn.x:a,t,0x0002"),
      TargetPortIdentity(group: 1, relativePort: 1, name: "iqn.x:ab,t,0x0001"),
    ])
    #expect(
      ports.page.encoded() == [
        0x00, 0x88, 0x00, 72,
        0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 24, 0x53, 0x98, 0, 20,
      ] + Array("iqn.x:ab,t,0x0001".utf8) + [0, 0, 0] + [
        0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 24, 0x53, 0x98, 0, 20,
      ] + Array("iqn.x:a,t,0x0002".utf8) + [0, 0, 0, 0])
  }

  @Test("SCSI ports tells the first of a thousand ports, as many whole ones as its length counts")
  func manyPorts() {
    let name = String(repeating: "a", count: 231)
    let ports = (1...1000 as ClosedRange<UInt16>).map { number in
      TargetPortIdentity(group: number, relativePort: number, name: "\(name),t,0x0001")
    }
    let page = SCSIPorts(ports: ports).page.encoded()
    // 12 bytes, a designator's header of 4, and the name of 240 with its 4 zeros.
    #expect(page.count == 4 + 252 * 260)
    #expect(page[2...3] == [0xFF, 0xF0])
    #expect(page[(page.count - 260)...].prefix(4) == [0, 0, 0, 252])
  }

  @Test("Block limits keep each field at the offset of SBC-3 table 180")
  func blockLimits() {
    var limits = BlockLimits()
    limits.isWriteSameNonZero = true
    limits.compareAndWriteBlocksMax = 0x11
    limits.transferGranularityBlocks = 0x2223
    limits.transferBlocksMax = 0x3031_3233
    limits.transferBlocksOptimal = 0x4041_4243
    limits.prefetchBlocksMax = 0x5051_5253
    limits.unmapBlocksMax = 0x6061_6263
    limits.unmapDescriptorsMax = 0x7071_7273
    limits.unmapGranularityBlocks = 0x8081_8283
    limits.unmapAlignmentBlocks = 0x1091_9293
    limits.writeSameBlocksMax = 0xA0A1_A2A3_A4A5_A6A7
    limits.atomicBlocksMax = 0xB0B1_B2B3
    limits.atomicAlignmentBlocks = 0xC0C1_C2C3
    limits.atomicGranularityBlocks = 0xD0D1_D2D3
    #expect(
      limits.page.encoded() == [
        0x00, 0xB0, 0x00, 0x3C, 0x01, 0x11, 0x22, 0x23,
        0x30, 0x31, 0x32, 0x33, 0x40, 0x41, 0x42, 0x43, 0x50, 0x51, 0x52, 0x53,
        0x60, 0x61, 0x62, 0x63, 0x70, 0x71, 0x72, 0x73, 0x80, 0x81, 0x82, 0x83,
        0x90, 0x91, 0x92, 0x93,  // UGAVALID
        0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xB0, 0xB1, 0xB2, 0xB3,
        0xC0, 0xC1, 0xC2, 0xC3, 0xD0, 0xD1, 0xD2, 0xD3,
      ] + [UInt8](repeating: 0, count: 8))
  }

  @Test("Characteristics say non-rotating; provisioning says what may unmap")
  func otherBlockPages() {
    let characteristics = BlockDeviceCharacteristics().page.encoded()
    #expect(characteristics == [0, 0xB1, 0, 0x3C, 0, 1] + [UInt8](repeating: 0, count: 58))
    let provisioning = LogicalBlockProvisioning(
      isUnmapSupported: true, isWriteSameUnmapSupported: true, isUnmappedReadAsZeros: true,
      type: .thin)
    #expect(provisioning.page.encoded() == [0, 0xB2, 0, 4, 0, 0xE4, 2, 0])
    var anchoring = provisioning
    anchoring.isAnchorSupported = true  // ANC_SUP
    #expect(anchoring.page.encoded() == [0, 0xB2, 0, 4, 0, 0xE6, 2, 0])
    // USER DATA SEGMENT SIZE and MULTIPLIER 0.
    #expect(
      VitalProductData.referrals.encoded() == [
        0x00, 0xB3, 0x00, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      ])
  }
}
