// Computed and inlinable, so that the I/O path of another module names a condition without asking
// whether a global has been made. One constructor per condition, named as SPC-4 annex F.2 names it;
// key/ASC/ASCQ stand beside each.

extension SenseData {
  /// 00/00/00: nothing to report, as REQUEST SENSE answers when nothing is pending.
  @inlinable
  public static var noAdditionalSenseInformation: SenseData {
    SenseData(.noSense, asc: 0x00, ascq: 0x00)
  }
}

// MARK: - NOT READY

extension SenseData {
  /// 02/04/01: the store is not locked yet.
  @inlinable
  public static var logicalUnitNotReadyBecomingReady: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x01)
  }
  /// 02/04/02: stopped by START STOP UNIT.
  @inlinable
  public static var logicalUnitNotReadyInitializingCommandRequired: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x02)
  }
  /// 02/04/03: the store has vanished or is latched; multipath tries another path.
  @inlinable
  public static var logicalUnitNotReadyManualInterventionRequired: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x03)
  }
  /// 02/04/0A: asymmetric access state transition (SPC-4 §5.15.2.6).
  @inlinable
  public static var logicalUnitNotAccessibleInTransition: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x0A)
  }
  /// 02/04/0B: target port in standby state.
  @inlinable
  public static var logicalUnitNotAccessibleInStandbyState: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x0B)
  }
  /// 02/04/0C: target port in unavailable state.
  @inlinable
  public static var logicalUnitNotAccessibleInUnavailableState: SenseData {
    SenseData(.notReady, asc: 0x04, ascq: 0x0C)
  }
  /// 02/3A/00.
  @inlinable
  public static var mediumNotPresent: SenseData { SenseData(.notReady, asc: 0x3A, ascq: 0x00) }
}

// MARK: - MEDIUM ERROR, HARDWARE ERROR, MISCOMPARE

extension SenseData {
  /// 03/11/00.
  @inlinable
  public static var unrecoveredReadError: SenseData {
    SenseData(.mediumError, asc: 0x11, ascq: 0x00)
  }
  /// 03/0C/00.
  @inlinable
  public static var writeError: SenseData { SenseData(.mediumError, asc: 0x0C, ascq: 0x00) }
  /// 04/44/00.
  @inlinable
  public static var internalTargetFailure: SenseData {
    SenseData(.hardwareError, asc: 0x44, ascq: 0x00)
  }

  /// 0E/1D/00, with the offset in bytes of the first difference in Data-Out (SBC-3 §5.2, §5.29).
  @inlinable
  public static func miscompareDuringVerify(offset: UInt64) -> SenseData {
    SenseData(.miscompare, asc: 0x1D, ascq: 0x00, information: offset)
  }
}

// MARK: - ILLEGAL REQUEST

extension SenseData {
  /// 05/1A/00.
  @inlinable
  public static var parameterListLengthError: SenseData {
    SenseData(.illegalRequest, asc: 0x1A, ascq: 0x00)
  }
  /// 05/0E/03: what the transport says of the command contradicts its CDB.
  @inlinable
  public static var invalidFieldInCommandInformationUnit: SenseData {
    SenseData(.illegalRequest, asc: 0x0E, ascq: 0x03)
  }
  /// 05/49/00: the task attribute, or another part of the message, means nothing here.
  @inlinable
  public static var invalidMessageError: SenseData {
    SenseData(.illegalRequest, asc: 0x49, ascq: 0x00)
  }
  /// 05/20/02: access denied, no access rights.
  @inlinable
  public static var accessDenied: SenseData { SenseData(.illegalRequest, asc: 0x20, ascq: 0x02) }
  /// 05/20/00.
  @inlinable
  public static var invalidCommandOperationCode: SenseData {
    SenseData(.illegalRequest, asc: 0x20, ascq: 0x00)
  }
  /// 05/21/00.
  @inlinable
  public static var logicalBlockAddressOutOfRange: SenseData {
    SenseData(.illegalRequest, asc: 0x21, ascq: 0x00)
  }
  /// 05/25/00.
  @inlinable
  public static var logicalUnitNotSupported: SenseData {
    SenseData(.illegalRequest, asc: 0x25, ascq: 0x00)
  }
  /// 05/2C/00: READ BUFFER of an echo buffer that nothing was written to.
  @inlinable
  public static var commandSequenceError: SenseData {
    SenseData(.illegalRequest, asc: 0x2C, ascq: 0x00)
  }
  /// 05/39/00.
  @inlinable
  public static var savingParametersNotSupported: SenseData {
    SenseData(.illegalRequest, asc: 0x39, ascq: 0x00)
  }
  /// 05/53/02.
  @inlinable
  public static var mediumRemovalPrevented: SenseData {
    SenseData(.illegalRequest, asc: 0x53, ascq: 0x02)
  }

  /// 05/24/00 with a pointer: the leftmost bit of the field at fault.
  @inlinable
  public static func invalidFieldInCDB(byte: UInt16, bit: UInt8? = nil) -> SenseData {
    let pointer = FieldPointer(place: .cdb, byte: byte, bit: bit)
    return SenseData(.illegalRequest, asc: 0x24, ascq: 0x00, keySpecific: .fieldPointer(pointer))
  }

  /// 05/26/00 with a pointer into the Data-Out buffer. A place past 64 KiB points nowhere.
  @inlinable
  public static func invalidFieldInParameterList(byte: Int, bit: UInt8? = nil) -> SenseData {
    let pointer = UInt16(exactly: byte).map {
      SenseKeySpecific.fieldPointer(FieldPointer(place: .parameterList, byte: $0, bit: bit))
    }
    return SenseData(.illegalRequest, asc: 0x26, ascq: 0x00, keySpecific: pointer ?? .none)
  }
}

// MARK: - UNIT ATTENTION

extension SenseData {
  /// 06/29/00.
  @inlinable
  public static var powerOnResetOrBusDeviceResetOccurred: SenseData {
    SenseData(.unitAttention, asc: 0x29, ascq: 0x00)
  }
  /// 06/29/01.
  @inlinable
  public static var powerOnOccurred: SenseData { SenseData(.unitAttention, asc: 0x29, ascq: 0x01) }
  /// 06/29/03: after LOGICAL UNIT RESET and target resets (SAM-5 §5.14.3).
  @inlinable
  public static var busDeviceResetFunctionOccurred: SenseData {
    SenseData(.unitAttention, asc: 0x29, ascq: 0x03)
  }
  /// 06/29/07.
  @inlinable
  public static var nexusLossOccurred: SenseData {
    SenseData(.unitAttention, asc: 0x29, ascq: 0x07)
  }
  /// 06/2A/01.
  @inlinable
  public static var modeParametersChanged: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x01)
  }
  /// 06/2A/02.
  @inlinable
  public static var logParametersChanged: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x02)
  }
  /// 06/2A/03.
  @inlinable
  public static var reservationsPreempted: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x03)
  }
  /// 06/2A/04.
  @inlinable
  public static var reservationsReleased: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x04)
  }
  /// 06/2A/05.
  @inlinable
  public static var registrationsPreempted: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x05)
  }
  /// 06/2A/06.
  @inlinable
  public static var asymmetricAccessStateChanged: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x06)
  }
  /// 06/2A/09.
  @inlinable
  public static var capacityDataHasChanged: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x09)
  }
  /// 06/2A/10.
  @inlinable
  public static var timestampChanged: SenseData {
    SenseData(.unitAttention, asc: 0x2A, ascq: 0x10)
  }
  /// 06/2F/00: CLEAR TASK SET, or TAS 0 and another nexus' abort (SAM-5 §5.6).
  @inlinable
  public static var commandsClearedByAnotherInitiator: SenseData {
    SenseData(.unitAttention, asc: 0x2F, ascq: 0x00)
  }
  /// 06/38/07.
  @inlinable
  public static var thinProvisioningSoftThresholdReached: SenseData {
    SenseData(.unitAttention, asc: 0x38, ascq: 0x07)
  }
  /// 06/3F/03: another unit answers at this LUN.
  @inlinable
  public static var inquiryDataHasChanged: SenseData {
    SenseData(.unitAttention, asc: 0x3F, ascq: 0x03)
  }
  /// 06/3F/05: identifying information.
  @inlinable
  public static var deviceIdentifierChanged: SenseData {
    SenseData(.unitAttention, asc: 0x3F, ascq: 0x05)
  }
  /// 06/3F/0E.
  @inlinable
  public static var reportedLUNsDataHasChanged: SenseData {
    SenseData(.unitAttention, asc: 0x3F, ascq: 0x0E)
  }
}

// MARK: - DATA PROTECT

extension SenseData {
  /// 07/27/00.
  @inlinable
  public static var writeProtected: SenseData { SenseData(.dataProtect, asc: 0x27, ascq: 0x00) }
  /// 07/27/07: the store has no room.
  @inlinable
  public static var spaceAllocationFailedWriteProtect: SenseData {
    SenseData(.dataProtect, asc: 0x27, ascq: 0x07)
  }
}

// MARK: - ABORTED COMMAND: errors of the data phase (RFC 7143 §11.4.7.2)

extension SenseData {
  /// 0B/0C/0C.
  @inlinable
  public static var unexpectedUnsolicitedData: SenseData {
    SenseData(.abortedCommand, asc: 0x0C, ascq: 0x0C)
  }
  /// 0B/0C/0D.
  @inlinable
  public static var notEnoughUnsolicitedData: SenseData {
    SenseData(.abortedCommand, asc: 0x0C, ascq: 0x0D)
  }
  /// 0B/47/05: a data digest did not match.
  @inlinable
  public static var protocolServiceCRCError: SenseData {
    SenseData(.abortedCommand, asc: 0x47, ascq: 0x05)
  }
  /// 0B/3F/0F: what this nexus wrote to the echo buffer has made room for another's.
  @inlinable
  public static var echoBufferOverwritten: SenseData {
    SenseData(.abortedCommand, asc: 0x3F, ascq: 0x0F)
  }
}
