import SCSIModel
import Testing

@Suite struct ModePageTests {
  static let unit = ModeSenseData(
    current: ModeSettings(isWriteCacheEnabled: true),
    defaults: ModeSettings(isWriteCacheEnabled: false), capacity: BlockCount(0x1234),
    blockLengthBytes: 512, isWriteProtected: false)

  static let recovery: [UInt8] = [0x01, 0x0A, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  static let caching: [UInt8] =
    [0x08, 0x12, 0x04] + [UInt8](repeating: 0, count: 17)  // WCE
  static let control: [UInt8] = [0x0A, 0x0A, 0x02, 0x10, 0, 0x40, 0, 0, 0xFF, 0xFF, 0, 0]
  static let reconnect: [UInt8] = [0x02, 0x0E] + [UInt8](repeating: 0, count: 14)
  static let controlExtension: [UInt8] =
    [0x4A, 0x01, 0x00, 0x1C, 0x07] + [UInt8](repeating: 0, count: 27)  // TCMOS, SCSIP, IALUAE
  static let provisioning: [UInt8] =
    [0x5C, 0x02, 0x00, 0x0C] + [UInt8](repeating: 0, count: 12)
  static let exceptions: [UInt8] = [0x1C, 0x0A, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  private func sense(_ bytes: [UInt8], _ unit: ModeSenseData = unit) throws -> [UInt8] {
    try unit.encoded(for: CommandDescriptorBlock(bytes))
  }

  @Test("MODE SENSE(6) of all pages: header, short block descriptor, pages in ascending order")
  func allPages() throws {
    let pages =
      Self.recovery + Self.reconnect + Self.caching + Self.control + Self.exceptions
    let subpages =
      Self.recovery + Self.reconnect + Self.caching + Self.control + Self.controlExtension
      + Self.exceptions + Self.provisioning
    let descriptor: [UInt8] = [0x00, 0x00, 0x12, 0x34, 0x00, 0x00, 0x02, 0x00]
    let header: [UInt8] = [UInt8(3 + 8 + pages.count), 0x00, 0x10, 0x08]  // DPOFUA
    #expect(try sense([0x1A, 0x00, 0x3F, 0x00, 0xFF]) == header + descriptor + pages)
    let longer: [UInt8] = [UInt8(3 + 8 + subpages.count), 0x00, 0x10, 0x08]
    #expect(try sense([0x1A, 0x00, 0x3F, 0xFF, 0xFF]) == longer + descriptor + subpages)
    #expect(
      try sense([0x1A, 0x08, 0x0A, 0xFF]) == [UInt8(3 + 12 + 32), 0, 0x10, 0] + Self.control
        + Self.controlExtension)
    #expect(
      try sense([0x1A, 0x08, 0x1C, 0x02]) == [UInt8(3 + 16), 0, 0x10, 0] + Self.provisioning)
  }

  @Test("MODE SENSE(10) with LLBAA has the long descriptor; DBD has none; WP shows")
  func headerForms() throws {
    var unit = Self.unit
    unit.capacity = BlockCount(0x1_0000_0000)
    unit.isWriteProtected = true
    #expect(
      try sense([0x5A, 0x10, 0x08], unit)
        == [0, UInt8(6 + 16 + 20), 0, 0x90, 0x01, 0, 0, 16]
        + [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0] + Self.caching)
    #expect(
      try sense([0x5A, 0x00, 0x08], unit)
        == [0, UInt8(6 + 8 + 20), 0, 0x90, 0, 0, 0, 8]
        + [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 2, 0] + Self.caching)
    #expect(
      try sense([0x5A, 0x18, 0x0A], unit) == [0, 18, 0, 0x90, 0, 0, 0, 0] + Self.control)
  }

  @Test("Changeable, default and saved values")
  func pageControl() throws {
    #expect(
      try sense([0x1A, 0x08, 0x48])
        == [23, 0, 0x10, 0, 0x08, 0x12, 0x04] + [UInt8](repeating: 0, count: 17))
    #expect(
      try sense([0x1A, 0x08, 0x4A])
        == [15, 0, 0x10, 0, 0x0A, 0x0A, 0x04, 0, 0x08, 0x40, 0, 0, 0, 0, 0, 0])
    #expect(
      try sense([0x1A, 0x08, 0x88])
        == [23, 0, 0x10, 0, 0x08, 0x12] + [UInt8](repeating: 0, count: 18))
    #expect(throws: SenseData.savingParametersNotSupported) { try sense([0x1A, 0x08, 0xC8]) }
  }

  @Test("A page or subpage that is not there is pointed at")
  func unknownPages() {
    #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 5)) { try sense([0x1A, 0, 0x03]) }
    for (page, subpage) in [(0x0A, 0x02), (0x08, 0x01), (0x3F, 0x01)] as [(UInt8, UInt8)] {
      #expect(throws: SenseData.invalidFieldInCDB(byte: 3, bit: 7)) {
        try sense([0x1A, 0, page, subpage])
      }
    }
  }

  @Test("A unit that saves sets PS, tells what it saved, and takes the pages back with PS")
  func saved() throws {
    var unit = Self.unit
    unit.saved = ModeSettings(isWriteCacheEnabled: false, isDescriptorSense: true)
    unit.thresholds = [.available(count: 0x0102), .used(count: 0x0304_0506)]
    #expect(
      try sense([0x1A, 0x08, 0xC8], unit)
        == [23, 0, 0x10, 0, 0x88, 0x12] + [UInt8](repeating: 0, count: 18))
    #expect(try sense([0x1A, 0x08, 0xCA], unit)[4..<7] == [0x8A, 0x0A, 0x06])
    // Armed decreasing, armed increasing.
    let thresholds: [UInt8] = [0x80, 0x01, 0, 0, 0, 0, 1, 2, 0x81, 0x02, 0, 0, 3, 4, 5, 6]
    #expect(
      try sense([0x1A, 0x08, 0x1C, 0x02], unit)
        == [35, 0, 0x10, 0, 0xDC, 0x02, 0, 0x1C] + [UInt8](repeating: 0, count: 12) + thresholds)
    let sensed = try sense([0x1A, 0x00, 0x3F, 0xFF], unit)
    let list = try ModeSelectParameterList(decoding: sensed, form: .six, unit: unit)
    #expect(list.settings == unit.current)
  }

  @Test(
    "LBPERE is set where thresholds raise unit attentions, and is not for MODE SELECT to change")
  func thresholdReporting() throws {
    var unit = Self.unit
    #expect(try sense([0x1A, 0x08, 0x01], unit).suffix(12) == Self.recovery[...])
    unit.thresholds = [.available(count: 1)]
    var recovery = Self.recovery
    recovery[7] = 0x80
    for control in [0x00, 0x80] as [UInt8] {
      #expect(try sense([0x1A, 0x08, control | 0x01], unit).suffix(12) == recovery[...])
    }
    #expect(try sense([0x1A, 0x08, 0x41], unit).suffix(10).allSatisfy { $0 == 0 })
  }

  // MARK: MODE SELECT

  private func select(_ bytes: [UInt8], form: ModeForm = .six) throws -> ModeSettings {
    try ModeSelectParameterList(decoding: bytes, form: form, unit: Self.unit).settings
  }

  @Test("MODE SELECT sets WCE, D_SENSE, SWP and TAS, and takes back what MODE SENSE gave")
  func selects() throws {
    var caching = Self.caching
    caching[2] = 0x00
    var control = Self.control
    control[2] |= 0x04
    control[4] = 0x08
    control[5] = 0x40
    let settings = try select([0, 0, 0, 0] + caching + control)
    #expect(
      settings
        == ModeSettings(
          isWriteCacheEnabled: false, isDescriptorSense: true, isSoftwareWriteProtected: true,
          isTaskAbortedStatus: true))
    let sensed6 = try sense([0x1A, 0x00, 0x3F])
    #expect(try select(sensed6) == Self.unit.current)
    let sensed10 = try sense([0x5A, 0x10, 0x3F])
    #expect(try select(sensed10, form: .ten) == Self.unit.current)
    #expect(try select([]) == Self.unit.current)
  }

  @Test("Every bit that is not changeable is refused with a pointer to it")
  func unchangeable() {
    for page in ModePage.allCases {
      let bytes = page.encoded(Self.unit.current)
      let changeable = page.changeable()
      for index in (page.rawValue & 0xFF == 0 ? 2 : 4)..<bytes.count {
        for bit in UInt8(0)..<8 where changeable[index] & 1 << bit == 0 {
          var list = [0, 0, 0, 0] + bytes
          list[4 + index] ^= 1 << bit
          #expect(throws: SenseData.invalidFieldInParameterList(byte: 4 + index, bit: bit)) {
            try select(list)
          }
        }
      }
    }
  }

  /// T-MODE-1.
  @Test("A MODE SELECT list cut anywhere but between pages is a PARAMETER LIST LENGTH ERROR")
  func truncated() throws {
    let list = try sense([0x1A, 0x00, 0x3F, 0xFF])
    let boundaries: Set = [0, 12, 24, 40, 60, 72, 104, 116, 132]
    for count in 0...list.count {
      let cut = Array(list.prefix(count))
      if boundaries.contains(count) {
        #expect(try select(cut) == Self.unit.current)
      } else {
        #expect(throws: SenseData.parameterListLengthError) { try select(cut) }
      }
    }
  }

  /// T-MODE-1.
  @Test("Lengths that lie are refused, whichever they are and whatever they say")
  func lyingLengths() throws {
    let list = try sense([0x1A, 0x00, 0x3F, 0xFF])
    for length in UInt8.min...UInt8.max {
      for offset in [13, 25, 41, 61, 105] where length != list[offset] {
        var lying = list
        lying[offset] = length
        #expect(throws: SenseData.invalidFieldInParameterList(byte: offset, bit: 7)) {
          try select(lying)
        }
      }
      for (offset, place) in [(74, 74), (75, 74), (118, 118), (119, 118)]
      where length != list[offset] {
        var lying = list
        lying[offset] = length
        #expect(throws: SenseData.invalidFieldInParameterList(byte: place, bit: 7)) {
          try select(lying)
        }
      }
      if length != 8, length != 0 {
        var lying = list
        lying[3] = length
        #expect(throws: SenseData.invalidFieldInParameterList(byte: 3, bit: 7)) {
          try select(lying)
        }
      }
      // MODE DATA LENGTH is reserved: nothing hangs on it.
      var ignored = list
      ignored[0] = length
      #expect(try select(ignored) == Self.unit.current)
    }
  }

  /// T-MODE-1.
  @Test("In the list of a MODE SELECT(10) no other BLOCK DESCRIPTOR LENGTH will do, nor LONGLBA")
  func lyingDescriptorLength() throws {
    let list = try sense([0x5A, 0x10, 0x3F, 0xFF])
    #expect(try select(list, form: .ten) == Self.unit.current)
    for length in Array(1...300) + [0x1000, 0x7FFF, 0x8000, 0xFF10, UInt16.max] where length != 16 {
      var lying = list
      lying[6] = UInt8(length >> 8)
      lying[7] = UInt8(length & 0xFF)
      #expect(throws: SenseData.invalidFieldInParameterList(byte: 6, bit: 7)) {
        try select(lying, form: .ten)
      }
    }
    // A descriptor taken for a page: it begins with a page code that is not there.
    var lying = list
    lying[7] = 0
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 8, bit: 5)) {
      try select(lying, form: .ten)
    }
    lying = list
    lying[4] = 0
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 6, bit: 7)) {
      try select(lying, form: .ten)
    }
    for count in 1..<24 {
      #expect(throws: SenseData.parameterListLengthError) {
        try select(Array(list.prefix(count)), form: .ten)
      }
    }
  }

  /// T-MODE-2.
  @Test("The block length and the capacity do not change by MODE SELECT")
  func blockDescriptor() {
    func list(_ count: [UInt8], _ length: [UInt8]) -> [UInt8] {
      [0, 0, 0, 8] + count + [0] + length
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 9, bit: 7)) {
      try select(list([0, 0, 0, 0], [0x00, 0x10, 0x00]))
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 7)) {
      try select(list([0, 0, 0, 1], [0, 2, 0]))
    }
    #expect(throws: Never.self) { try select(list([0xFF, 0xFF, 0xFF, 0xFF], [0, 2, 0])) }
  }

  @Test("Subpages, unknown pages and a medium type are refused where they stand")
  func strangers() {
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 6)) {
      try select([0, 0, 0, 0, 0x4A, 0x02, 0, 0])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 6)) {
      try select([0, 0, 0, 0, 0x4A, 0x00, 0, 0])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 5)) {
      try select([0, 0, 0, 0, 0x03, 0x00])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 1, bit: 7)) {
      try select([0, 1, 0, 0])
    }
  }
}
