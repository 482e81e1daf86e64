import SCSIModel
import Testing

@Suite struct TargetPortGroupTests {
  @Test("REPORT TARGET PORT GROUPS has a descriptor per group, after either header")
  func report() {
    let data = ReportTargetPortGroupsData(groups: [
      TargetPortGroup(
        tag: 1, state: .activeOptimized, isPreferred: true, relativePorts: [1]),
      TargetPortGroup(
        tag: 0x0203, state: .standby, status: .explicitlyAltered, relativePorts: [0x0203]),
    ])
    let groups: [UInt8] = [
      0x80, 0x8F, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
      0x02, 0x8F, 2, 3, 0, 1, 0, 1, 0, 0, 2, 3,
    ]
    #expect(data.encoded(isExtended: false) == [0, 0, 0, 24] + groups)
    #expect(data.encoded(isExtended: true) == [0, 0, 0, 28, 0x10, 0, 0, 0] + groups)
  }

  private static let lastBlock = LogicalBlockAddress(0x0102_0304_0506_0708)
  /// Two groups that serve the blocks, one that soon may, two that do not.
  private static let referral = UserDataSegmentReferral(
    lastBlock: lastBlock,
    groups: [
      TargetPortGroup(tag: 1, state: .activeOptimized, isPreferred: true, relativePorts: [1]),
      TargetPortGroup(tag: 2, state: .standby, relativePorts: [2]),
      TargetPortGroup(tag: 0x0203, state: .activeNonOptimized, relativePorts: [0x0203]),
      TargetPortGroup(tag: 4, state: .unavailable, relativePorts: [4]),
      TargetPortGroup(tag: 5, state: .transitioning, relativePorts: [5]),
    ])
  private static let segment: [UInt8] = [
    0, 0, 0, 3,  // three target port groups
    0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,  // first, last LBA
    0x00, 0, 0x00, 0x01, 0x01, 0, 0x02, 0x03, 0x0F, 0, 0x00, 0x05,
  ]

  private func referral(_ count: UInt16) -> UserDataSegmentReferral {
    UserDataSegmentReferral(
      lastBlock: LogicalBlockAddress(0),
      groups: (0..<count).map {
        TargetPortGroup(tag: $0, state: .transitioning, relativePorts: [])
      })
  }

  @Test("REPORT REFERRALS has one segment to the last block, and the groups that lead to it")
  func referrals() {
    #expect(Self.referral.parameterData == [0, 0, 0, 32] + Self.segment)
    #expect(referral(0).parameterData == [0, 0, 0, 0])
    let cut = referral(300).parameterData
    #expect(cut.count == 24 + 255 * 4 && cut[7] == 255)
    #expect(cut.prefix(4) == [0, 0, 0x04, 0x10] && cut.suffix(4) == [0x0F, 0, 0, 254])
  }

  @Test("Sense data refers to the whole segment, or says that it is not there")
  func referralsInSenseData() {
    #expect(
      SenseData.referralIsNecessary.encoded(referring: Self.referral)
        == [0x72, 0x0B, 0x3F, 0x15, 0, 0, 0, 36, 0x0B, 34, 0, 0] + Self.segment)
    #expect(
      SenseData.referralIsAdvised.encoded(referring: Self.referral).prefix(4)
        == [0x72, 0x0F, 0x3F, 0x15])
    // As much as fits MAXIMUM SUPPORTED SENSE DATA LENGTH of page 86h.
    let longest = SenseData.referralIsNecessary.encoded(referring: referral(55))
    #expect(longest.count == 252 && longest[7] == 244 && longest[9] == 242 && longest[10] == 0)
    let cut = SenseData.referralIsNecessary.encoded(referring: referral(56))
    #expect(cut == [0x72, 0x0B, 0x3F, 0x15, 0, 0, 0, 4, 0x0B, 2, 0x01, 0])
    #expect(SenseData(decoding: longest) == .referralIsNecessary)
  }

  private func set(_ bytes: [UInt8]) throws -> [String] {
    try SetTargetPortGroupsParameterList(decoding: bytes, groups: [1, 2]).states
      .map { "\($0.tag) \($0.state)" }
  }

  @Test("SET TARGET PORT GROUPS names known groups once, in states that may be asked for")
  func set() throws {
    #expect(try set([]) == [])
    #expect(try set([0, 0, 0, 0]) == [])
    let list: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 1]
    #expect(try set(list) == ["2 activeOptimized", "1 standby"])
    for count in 1..<list.count where count % 4 != 0 {
      #expect(throws: SenseData.parameterListLengthError) { try set(Array(list.prefix(count))) }
    }
    for state in [0x04, 0x0E, 0x0F] as [UInt8] {
      #expect(throws: SenseData.invalidFieldInParameterList(byte: 4, bit: 3)) {
        try set([0, 0, 0, 0, state, 0, 0, 1])
      }
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 6, bit: 7)) {
      try set([0, 0, 0, 0, 0, 0, 0, 3])
    }
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 10, bit: 7)) {
      try set([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    }
  }

  @Test("Each state admits what SPC-4 §5.15.2 says, and nothing that reads or writes blocks")
  func admission() {
    let names = Dictionary(
      uniqueKeysWithValues: AsymmetricAccessState.allCases.map { state in
        let admitted = CommandTable.standard.rows.filter { state.refusal(of: $0) == nil }
        return (state, Set(admitted.map { String(describing: $0.name) }))
      })
    #expect(names[.activeNonOptimized]?.count == CommandTable.standard.rows.count)
    let anywhere: Set = [
      "INQUIRY", "REPORT LUNS", "REQUEST SENSE", "REPORT TARGET PORT GROUPS",
      "SET TARGET PORT GROUPS", "READ BUFFER", "WRITE BUFFER",
    ]
    #expect(names[.unavailable] == anywhere)
    #expect(names[.transitioning] == anywhere)
    #expect(
      names[.standby]?.isSuperset(of: anywhere.union(["MODE SENSE(6)", "LOG SENSE"])) == true)
    for state in [AsymmetricAccessState.standby, .unavailable, .transitioning] {
      for row in CommandTable.standard.rows where row.blocks != .none {
        #expect(state.refusal(of: row)?.additionalSenseCode == 0x04, "\(row.name)")
      }
    }
  }

  @Test("Identifying text is UTF-8 with its NUL at the end; unit information is any bytes")
  func identifyingInformation() {
    func refusal(_ bytes: [UInt8], _ type: IdentifyingInformationType) -> SenseData? {
      IdentifyingInformationData.refusal(of: bytes, type)
    }
    #expect(refusal([0xFF, 0x00, 0x80], .logicalUnit) == nil)
    #expect(refusal([], .text) == nil)
    #expect(refusal(Array("disk \u{e4}".utf8) + [0], .text) == nil)
    #expect(refusal([0x41], .text) == .invalidFieldInParameterList(byte: 0, bit: 7))
    #expect(refusal([0x41, 0, 0x42, 0], .text) == .invalidFieldInParameterList(byte: 1))
    #expect(refusal([0xC3, 0x28, 0], .text) == .invalidFieldInParameterList(byte: 0, bit: 7))
    #expect(
      IdentifyingInformationData.supportedTypes()
        == [0, 0, 0, 8, 0x00, 0, 0, 64, 0x04, 0, 1, 0])
  }

  @Test("A timestamp is 48 bits of milliseconds; a list cut anywhere is refused")
  func timestamp() throws {
    let time = TimestampParameters(milliseconds: 0x0102_0304_0506, origin: .setTimestamp)
    let bytes: [UInt8] = [0, 10, 2, 0, 1, 2, 3, 4, 5, 6, 0, 0]
    #expect(time.encoded() == bytes)
    #expect(try TimestampParameters(decoding: bytes) == time)
    for count in 0..<12 {
      #expect(throws: SenseData.parameterListLengthError) {
        try TimestampParameters(decoding: Array(bytes.prefix(count)))
      }
    }
  }
}
