// Fields of the device commands whose every bit is looked at but whose value has no meaning here.

extension CommandTable {
  /// The most that a parameter list of the maintenance commands may be: two hundred port groups and
  /// more. No memory is taken for a longer one.
  private var maintenanceListBytesMax: Int { 4096 }

  func reservedDeviceValue(
    in cdb: CommandDescriptorBlock, _ command: Command
  ) -> SenseData? {
    let listLength = cdb.parameterLengthBytes(.bytes6To9)
    switch command {
    case .reportIdentifyingInformation:
      let type = cdb.identifyingInformationType
      return type == IdentifyingInformationType.supported
        || IdentifyingInformationType(rawValue: type) != nil
        ? nil : .invalidFieldInCDB(byte: 10, bit: 7)
    case .setIdentifyingInformation:
      guard let type = IdentifyingInformationType(rawValue: cdb.identifyingInformationType) else {
        return .invalidFieldInCDB(byte: 10, bit: 7)
      }
      return listLength > type.lengthMax ? .invalidFieldInCDB(byte: 6, bit: 7) : nil
    case .reportTargetPortGroups:
      return cdb.parameterDataFormat > 1 ? .invalidFieldInCDB(byte: 1, bit: 7) : nil
    case .setTargetPortGroups, .setTimestamp:
      return listLength > maintenanceListBytesMax ? .invalidFieldInCDB(byte: 6, bit: 7) : nil
    case .writeBuffer, .readBuffer: return refusalOfBuffer(cdb, isWrite: command == .writeBuffer)
    default: return nil
    }
  }

  private func refusalOfBuffer(
    _ cdb: CommandDescriptorBlock, isWrite: Bool
  ) -> SenseData? {
    guard let mode = cdb.bufferMode, !isWrite || mode.isWritable else {
      return .invalidFieldInCDB(byte: 1, bit: 4)
    }
    // The one buffer is number 0. In the echo modes the field is ignored (SPC-4 §6.18.8); the
    // descriptor of a buffer that is not there is zeros (SPC-4 §6.18.4).
    if mode == .data, cdb.bufferIdentifier != 0 { return .invalidFieldInCDB(byte: 2, bit: 7) }
    guard mode == .data else {
      return isWrite && cdb.parameterLengthBytes(.bytes6To8) > BufferMode.capacity
        ? .invalidFieldInCDB(byte: 6, bit: 7) : nil
    }
    let offset = cdb.bufferOffset
    guard offset <= BufferMode.capacity else { return .invalidFieldInCDB(byte: 3, bit: 7) }
    return isWrite && offset + cdb.parameterLengthBytes(.bytes6To8) > BufferMode.capacity
      ? .invalidFieldInCDB(byte: 6, bit: 7) : nil
  }
}
