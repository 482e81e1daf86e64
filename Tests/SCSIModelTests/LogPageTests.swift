import SCSIModel
import Testing

@Suite struct LogPageTests {
  private let pages = LogPage.allCases

  @Test("Page lists are ascending, and those of subpages have every page's FFh too")
  func lists() {
    #expect(
      LogPageData.supportedPages(pages).encoded()
        == [0x80, 0, 0, 6, 0x00, 0x0C, 0x0D, 0x15, 0x19, 0x2F])
    #expect(
      LogPageData.supportedSubpages(pages).encoded() == [
        0xC0, 0xFF, 0, 24, 0x00, 0x00, 0x00, 0xFF, 0x0C, 0x00, 0x0C, 0xFF, 0x0D, 0x00, 0x0D, 0xFF,
        0x15, 0x00, 0x15, 0xFF, 0x19, 0x00, 0x19, 0xFF, 0x2F, 0x00, 0x2F, 0xFF,
      ])
    #expect(
      LogPageData.supportedSubpages(pages, of: 0x19).encoded()
        == [0xD9, 0xFF, 0, 4, 0x19, 0x00, 0x19, 0xFF])
  }

  @Test("A parameter pointer leaves out what is before it; one past the last is refused")
  func pointer() throws {
    let resources = ProvisioningResources(availableCount: 0x0102_0304, usedCount: 5)
    let available: [UInt8] = [0, 1, 3, 8, 1, 2, 3, 4, 2, 0, 0, 0]
    let used: [UInt8] = [0, 2, 3, 8, 0, 0, 0, 5, 1, 0, 0, 0]
    func page(_ pointer: UInt16) throws -> [UInt8] {
      try LogPageData(.logicalBlockProvisioning, resources.parameters, from: pointer).encoded()
    }
    #expect(try page(0) == [0x8C, 0, 0, 24] + available + used)
    #expect(try page(1) == [0x8C, 0, 0, 24] + available + used)
    #expect(try page(2) == [0x8C, 0, 0, 12] + used)
    #expect(throws: SenseData.invalidFieldInCDB(byte: 5, bit: 7)) { try page(3) }
  }

  @Test("Statistics keep each field at its offset, in microseconds")
  func statistics() throws {
    var statistics = AccessStatistics()
    statistics.readCommands = 1
    statistics.writeCommands = 2
    statistics.blocksReceived = 3
    statistics.blocksTransmitted = 4
    statistics.readMicroseconds = 5
    statistics.writeMicroseconds = 6
    let page = try LogPageData(
      .generalStatisticsAndPerformance, statistics.parameters, from: 0
    ).encoded()
    var expected: [UInt8] = [0x99, 0, 0, 80, 0, 1, 3, 64]
    for field in UInt8(1)...6 { expected += [0, 0, 0, 0, 0, 0, 0, field] }
    expected += [UInt8](repeating: 0, count: 16)
    expected += [0, 3, 3, 8, 0, 0, 0, 6, 0, 0, 0, 1]
    #expect(page == expected)
    #expect(statistics.since(statistics) == AccessStatistics())
  }

  @Test("What a store has no sensor or scan for is told as not available")
  func nothingToTell() throws {
    #expect(
      try LogPageData(.temperature, LogParameter.temperatures, from: 0).encoded()
        == [0x8D, 0, 0, 12, 0, 0, 3, 2, 0, 0xFF, 0, 1, 3, 2, 0, 0xFF])
    #expect(
      try LogPageData(.informationalExceptions, [.informationalExceptions], from: 0).encoded()
        == [0xAF, 0, 0, 8, 0, 0, 3, 4, 0, 0, 0xFF, 0])
    #expect(
      LogParameter.backgroundScanStatus(powerOnMinutes: 7).value
        == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  private func select(_ bytes: [UInt8], _ list: [UInt8] = []) throws -> LogSelection {
    let padded = bytes + [UInt8](repeating: 0, count: 7 - bytes.count)
    return try LogSelection(
      CommandDescriptorBlock([0x4C] + padded + [UInt8(list.count), 0]), parameters: list,
      pages: pages)
  }

  @Test("LOG SELECT resets all or one page, by PCR or by the default cumulative values")
  func selects() throws {
    #expect(try select([0x02]) == .reset(nil))
    #expect(try select([0x02, 0x19]) == .reset(.generalStatisticsAndPerformance))
    #expect(try select([0x00, 0xD9]) == .reset(.generalStatisticsAndPerformance))
    #expect(try select([0x00, 0x59]) == .nothing)
    // FFh: the page and its subpages; of page 00h, all.
    #expect(try select([0x02, 0x19, 0xFF]) == .reset(.generalStatisticsAndPerformance))
    #expect(try select([0x02, 0x00, 0xFF]) == .reset(nil))
    #expect(throws: SenseData.invalidFieldInCDB(byte: 3, bit: 7)) { try select([0x02, 0, 1]) }
    #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 5)) { try select([0x02, 0x03]) }
    #expect(throws: SenseData.invalidFieldInCDB(byte: 3, bit: 7)) {
      try select([0x02, 0x19, 0x01])
    }
  }

  @Test("A LOG SELECT list may hold empty pages and nothing else, wherever it is cut")
  func selectLists() throws {
    #expect(try select([0], [0x19, 0, 0, 0]) == .nothing)
    #expect(throws: SenseData.invalidFieldInCDB(byte: 1, bit: 1)) {
      try select([0x02], [0x19, 0, 0, 0])
    }
    let list: [UInt8] = [0x19, 0, 0, 6, 0, 1, 3, 2, 0, 0]
    for count in 1..<list.count {
      let cut =
        count < 4
        ? SenseData.parameterListLengthError : .invalidFieldInParameterList(byte: 2, bit: 7)
      #expect(throws: cut) { try select([0], Array(list.prefix(count))) }
    }
    // The second page of the list.
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 6, bit: 7)) {
      try select([0], [0x19, 0, 0, 0] + list.dropLast())
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 7)) {
      try select([0], list)
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 0, bit: 5)) {
      try select([0], [0x03, 0, 0, 0])
    }
    // A subpage that is not there, and SPF that contradicts the subpage code.
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 0, bit: 5)) {
      try select([0], [0x59, 1, 0, 0])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 6)) {
      try select([0], [0x19, 0, 0, 0, 0x59, 0, 0, 0])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 0, bit: 6)) {
      try select([0], [0x00, 0xFF, 0, 0])
    }
  }

  @Test("LOG SELECT names its page in the CDB or in the list, not in both")
  func selectNamesTwice() throws {
    let list: [UInt8] = [0x19, 0, 0, 0]
    #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 5)) { try select([0, 0x19], list) }
    #expect(throws: SenseData.invalidFieldInCDB(byte: 3, bit: 7)) {
      try select([0, 0, 0xFF], list)
    }
    // PC is not the page.
    #expect(try select([0, 0x40], list) == .nothing)
  }
}
