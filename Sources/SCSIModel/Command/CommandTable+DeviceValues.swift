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

/// MODE of READ BUFFER and WRITE BUFFER (SPC-4 §6.18, §6.49), as far as there are such here: one
/// buffer for data and one for echoes, of each nexus that wrote lately.
public enum BufferMode: UInt8, Sendable, BitwiseCopyable {
  case data = 0x02
  case descriptor = 0x03
  case echo = 0x0A
  case echoDescriptor = 0x0B

  /// Bytes of each buffer.
  public static var capacity: Int { 4096 }

  var isWritable: Bool { self == .data || self == .echo }

  /// The READ BUFFER descriptor (SPC-4 §6.18.4): OFFSET BOUNDARY 0, any byte; bytes 1–3 the
  /// capacity, and zeros for a buffer that is not there.
  public static func descriptorData(ofBuffer identifier: UInt8) -> [UInt8] {
    identifier == 0 ? [0, 0, UInt8(capacity >> 8), UInt8(capacity & 0xFF)] : [0, 0, 0, 0]
  }

  /// The echo buffer descriptor (SPC-4 §6.18.9): EBOS 1, who reads what another nexus has
  /// overwritten is told so; bytes 2–3 the capacity.
  public static let echoDescriptorData: [UInt8] = [
    1, 0, UInt8(capacity >> 8), UInt8(capacity & 0xFF),
  ]
}
