import SCSIModel
import Testing

@Suite struct ParameterDataTests {
  let table = CommandTable.standard

  @Test("REPORT LUNS lists the units in order, and well known units only where they are asked for")
  func reportLUNs() {
    let data = ReportLUNsData(numbers: [256, 0], hasWellKnownLogicalUnit: true)
    let units: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0]
    let wellKnown: [UInt8] = [0xC1, 0x01, 0, 0, 0, 0, 0, 0]
    #expect(data.encoded(.logicalUnits) == [0, 0, 0, 16, 0, 0, 0, 0] + units)
    #expect(data.encoded(.wellKnownLogicalUnits) == [0, 0, 0, 8, 0, 0, 0, 0] + wellKnown)
    #expect(data.encoded(.all) == [0, 0, 0, 24, 0, 0, 0, 0] + units + wellKnown)
    #expect(data.encoded(.notSubsidiary) == [0, 0, 0, 16, 0, 0, 0, 0] + units)
    #expect(data.encoded(.administrative) == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(data.encoded(.subsidiary) == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(
      ReportLUNsData(numbers: []).encoded(.all) == [0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("READ CAPACITY names the last block, and FFFFFFFFh where ten bytes cannot")
  func readCapacity() {
    var data = ReadCapacityData(
      capacity: BlockCount(0x1_0000_0000), blockLengthBytes: 512, physicalBlockExponent: 3,
      lowestAlignedBlock: 7, isProvisioningManaged: true, isUnmappedReadAsZeros: true)
    #expect(data.encoded10() == [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 2, 0])
    data.capacity = BlockCount(0x1_0000_0001)
    #expect(data.encoded10() == [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 2, 0])
    #expect(
      data.encoded16() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0x00, 0x03, 0xC0, 0x07]
        + [UInt8](repeating: 0, count: 16))
    data.capacity = BlockCount(1)
    #expect(data.encoded10() == [0, 0, 0, 0, 0, 0, 2, 0])
  }

  // MARK: UNMAP

  static let limits = UnmapParameterList.Limits(blockCountMax: 1000, descriptorCountMax: 2)
  /// UNMAP DATA LENGTH 38, descriptor data length 32, two descriptors.
  static let unmapList: [UInt8] = [
    0, 38, 0, 32, 0, 0, 0, 0,
    0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0,
  ]

  @Test("UNMAP descriptors become ranges, as wide as they are written")
  func unmap() throws {
    let list = try UnmapParameterList(decoding: Self.unmapList, limits: Self.limits)
    #expect(
      list.ranges == [
        BlockRange(start: 0x8000_0000_0000_0001, count: 9), BlockRange(start: 20, count: 0),
      ])
    #expect(try UnmapParameterList(decoding: [], limits: Self.limits).ranges.isEmpty)
    #expect(
      try UnmapParameterList(decoding: [0, 6, 0, 0, 0, 0, 0, 0], limits: Self.limits).ranges
        .isEmpty)
  }

  @Test("An UNMAP list cut anywhere is a PARAMETER LIST LENGTH ERROR and unmaps nothing")
  func unmapTruncated() {
    for count in 1..<Self.unmapList.count {
      #expect(throws: SenseData.parameterListLengthError) {
        try UnmapParameterList(
          decoding: Array(Self.unmapList.prefix(count)), limits: Self.limits)
      }
    }
  }

  @Test("Each of UNMAP's lengths may lie in any way without a block that was not named")
  func unmapLying() throws {
    let honest = try UnmapParameterList(decoding: Self.unmapList, limits: Self.limits).ranges
    for data in 0...255 {
      for descriptors in 0...255 {
        for high in [UInt8(0), 1, 0xFF] {
          var list = Self.unmapList
          list[0] = high
          list[1] = UInt8(data)
          list[3] = UInt8(descriptors)
          guard let decoded = try? UnmapParameterList(decoding: list, limits: Self.limits) else {
            continue
          }
          #expect(descriptors <= 32 && data <= 38 && high == 0)
          #expect(descriptors == 0 || descriptors + 6 <= data)
          #expect(decoded.ranges == Array(honest.prefix(descriptors / 16)))
        }
      }
    }
  }

  @Test("An incomplete last descriptor is ignored; too many descriptors or blocks are refused")
  func unmapLimits() throws {
    var list = Self.unmapList
    list[3] = 31
    #expect(try UnmapParameterList(decoding: list, limits: Self.limits).ranges.count == 1)
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 2, bit: 7)) {
      try UnmapParameterList(
        decoding: Self.unmapList,
        limits: .init(blockCountMax: .max, descriptorCountMax: 1))
    }
    list = Self.unmapList
    list[39 - 5] = 0x03  // second descriptor: 3E0h blocks, 9 + 992 > 1000
    list[39 - 4] = 0xE0
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 32, bit: 7)) {
      try UnmapParameterList(decoding: list, limits: Self.limits)
    }
    let unlimited = UnmapParameterList.Limits(blockCountMax: .max, descriptorCountMax: .max)
    list.replaceSubrange(16..<20, with: [0xFF, 0xFF, 0xFF, 0xFF])
    list.replaceSubrange(32..<36, with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(try UnmapParameterList(decoding: list, limits: unlimited).ranges.count == 2)
  }

  // MARK: REPORT SUPPORTED OPERATION CODES

  private func report(_ options: UInt8, _ opcode: UInt8 = 0, _ action: UInt8 = 0) throws -> [UInt8]
  {
    try table.reportSupportedOperationCodes(
      CommandDescriptorBlock([0xA3, 0x0C, options, opcode, 0, action]))
  }

  @Test("The list of all commands has one descriptor per row, with and without timeouts")
  func allCommands() throws {
    let plain = try report(0x00)
    #expect(plain.count == 4 + 8 * table.rows.count)
    #expect(Int(plain[2]) << 8 | Int(plain[3]) == plain.count - 4)
    for (index, row) in table.rows.enumerated() {
      let start = 4 + index * 8
      let action = UInt8(row.serviceAction ?? 0)
      let serviceActionValid: UInt8 = row.serviceAction == nil ? 0 : 1
      #expect(
        Array(plain[start..<start + 8])
          == [row.opcode, 0, 0, action, 0, serviceActionValid, 0, UInt8(row.length)])
    }
    let timed = try report(0x80)
    #expect(timed.count == 4 + 20 * table.rows.count)
    #expect(Array(timed[4..<16]) == [0x00, 0, 0, 0, 0, 0x02, 0, 6, 0x00, 0x0A, 0, 0])
  }

  @Test("One command is told with its usage data; what is not served is told as such")
  func oneCommand() throws {
    #expect(
      try report(0x01, 0x28) == [
        0, 0x03, 0, 10, 0x28, 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0xFF, 0xFF, 0x00,
      ])
    #expect(
      try report(0x82, 0x9E, 0x10) == [
        0, 0x83, 0, 16, 0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0,
        0x00, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // command timeouts descriptor
      ])
    #expect(try report(0x01, 0xC0) == [0, 1, 0, 0])
    #expect(try report(0x02, 0xC0, 1) == [0, 1, 0, 0])
    #expect(try report(0x02, 0x9E, 0x1F) == [0, 1, 0, 0])
    #expect(try report(0x03, 0x28, 0)[1] == 3)
    #expect(try report(0x03, 0x28, 1) == [0, 1, 0, 0])
    #expect(try report(0x03, 0xA3, 0x0D)[5] == 0x0D)
  }

  @Test("Asking for an opcode in the wrong way is INVALID FIELD IN CDB, for every row")
  func wrongOption() {
    for row in table.rows {
      let option: UInt8 = row.serviceAction == nil ? 2 : 1
      #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 2)) {
        try report(option, row.opcode, UInt8(row.serviceAction ?? 0))
      }
    }
  }

  @Test("Supported task management functions are bits 15–0 of the first two bytes")
  func taskManagement() {
    let functions: SupportedTaskManagementFunctions = [
      .abortTask, .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetReset, .nexusReset,
    ]
    #expect(functions.encoded(isExtended: false) == [0xDA, 0x01, 0, 0])
    #expect(
      functions.encoded(isExtended: true) == [0xDA, 0x01, 0, 12] + [UInt8](repeating: 0, count: 12))
  }
}
