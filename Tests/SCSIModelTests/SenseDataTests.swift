import SCSIModel
import Testing

@Suite struct SenseDataTests {
  static let samples: [SenseData] = [
    .noAdditionalSenseInformation, .invalidFieldInCDB(byte: 1, bit: 5),
    .invalidFieldInCDB(byte: 31), .invalidFieldInParameterList(byte: 0x1234, bit: 0),
    .miscompareDuringVerify(offset: 0x0102_0304),
    .unrecoveredReadError.withInformation(7),
    SenseData(.notReady, asc: 4, ascq: 1, keySpecific: .progress(0x8000)),
    .nexusLossOccurred, .spaceAllocationFailedWriteProtect, .protocolServiceCRCError,
  ]

  @Test("Fixed format is 18 bytes with the field pointer at 15")
  func fixed() {
    #expect(
      SenseData.invalidFieldInCDB(byte: 2, bit: 4).encoded(.fixed).bytes == [
        0x70, 0x00, 0x05,  // current, ILLEGAL REQUEST
        0x00, 0x00, 0x00, 0x00,  // INFORMATION
        0x0A,  // ADDITIONAL SENSE LENGTH
        0x00, 0x00, 0x00, 0x00,
        0x24, 0x00, 0x00,  // INVALID FIELD IN CDB
        0xCC, 0x00, 0x02,  // SKSV, C/D, BPV, bit 4; byte 2
      ])
    #expect(
      SenseData.miscompareDuringVerify(offset: 0x200).encoded(.fixed).bytes == [
        0xF0, 0x00, 0x0E, 0x00, 0x00, 0x02, 0x00, 0x0A, 0, 0, 0, 0, 0x1D, 0x00, 0, 0, 0, 0,
      ])
  }

  @Test("Descriptor format has a descriptor for what there is to tell, and none otherwise")
  func descriptor() {
    #expect(
      SenseData.powerOnOccurred.encoded(.descriptor).bytes == [0x72, 0x06, 0x29, 0x01, 0, 0, 0, 0])
    var sense = SenseData.invalidFieldInParameterList(byte: 0x0A, bit: 3)
    sense.information = 0x0102_0304_0506_0708
    #expect(
      sense.encoded(.descriptor).bytes == [
        0x72, 0x05, 0x26, 0x00, 0, 0, 0, 20,
        0x00, 0x0A, 0x80, 0x00, 1, 2, 3, 4, 5, 6, 7, 8,  // information
        0x02, 0x06, 0x00, 0x00, 0x8B, 0x00, 0x0A, 0x00,  // SKSV, BPV, bit 3; byte 10
      ])
  }

  @Test("INFORMATION that needs more than 32 bits is not valid in fixed format")
  func wideInformation() {
    let sense = SenseData.unrecoveredReadError.withInformation(1 << 32)
    #expect(sense.encoded(.fixed).bytes[0] == 0x70)
    #expect(Array(sense.encoded(.fixed).bytes[3..<7]) == [0, 0, 0, 0])
    #expect(SenseData(decoding: sense.encoded(.descriptor).bytes) == sense)
  }

  @Test("Both formats decode to what was encoded", arguments: samples)
  func roundTrip(_ sense: SenseData) {
    #expect(SenseData(decoding: sense.encoded(.fixed).bytes) == sense)
    #expect(SenseData(decoding: sense.encoded(.descriptor).bytes) == sense)
  }

  @Test("Sense data cut anywhere, or with lying lengths, decodes to a condition or to nothing")
  func truncation() {
    for sense in Self.samples {
      for format in [SenseFormat.fixed, .descriptor] {
        let bytes = sense.encoded(format).bytes
        for count in 0..<bytes.count {
          if let cut = SenseData(decoding: Array(bytes.prefix(count))) {
            #expect(cut.isSameCondition(as: sense))
          } else {
            #expect(count < (format == .fixed ? 14 : 8))
          }
        }
        for index in bytes.indices {
          var lying = bytes
          lying[index] = 0xFF
          _ = SenseData(decoding: lying)
        }
      }
    }
  }

  @Test("Conditions have the codes of SPC-4 annex F")
  func codes() {
    let expected: [(SenseData, String)] = [
      (.logicalUnitNotReadyBecomingReady, "02/04/01"),
      (.logicalUnitNotReadyManualInterventionRequired, "02/04/03"),
      (.unrecoveredReadError, "03/11/00"), (.writeError, "03/0C/00"),
      (.internalTargetFailure, "04/44/00"), (.parameterListLengthError, "05/1A/00"),
      (.invalidCommandOperationCode, "05/20/00"), (.logicalBlockAddressOutOfRange, "05/21/00"),
      (.invalidFieldInCDB(byte: 0), "05/24/00"), (.logicalUnitNotSupported, "05/25/00"),
      (.invalidFieldInParameterList(byte: 0), "05/26/00"),
      (.savingParametersNotSupported, "05/39/00"),
      (.powerOnResetOrBusDeviceResetOccurred, "06/29/00"), (.nexusLossOccurred, "06/29/07"),
      (.modeParametersChanged, "06/2A/01"), (.reservationsPreempted, "06/2A/03"),
      (.reservationsReleased, "06/2A/04"), (.registrationsPreempted, "06/2A/05"),
      (.capacityDataHasChanged, "06/2A/09"), (.reportedLUNsDataHasChanged, "06/3F/0E"),
      (.thinProvisioningSoftThresholdReached, "06/38/07"), (.writeProtected, "07/27/00"),
      (.spaceAllocationFailedWriteProtect, "07/27/07"), (.protocolServiceCRCError, "0B/47/05"),
      (.unexpectedUnsolicitedData, "0B/0C/0C"), (.notEnoughUnsolicitedData, "0B/0C/0D"),
      (.miscompareDuringVerify(offset: 0), "0E/1D/00"),
    ]
    for (sense, text) in expected { #expect(sense.description == text) }
  }
}
