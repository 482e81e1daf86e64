// Parameter lists as they come, without a command around them: no length and no address traps.
import FuzzDriver
import SCSIModel

let unmapLimits = UnmapParameterList.Limits(blockCountMax: 1 << 20, descriptorCountMax: 128)
let blockBytes = 512
let portGroups = [1, 2, 0x0102] as [UInt16]

/// Thresholds give the provisioning page (1Ch/02h) descriptors.
let unit = ModeSenseData(
  current: ModeSettings(isWriteCacheEnabled: true),
  defaults: ModeSettings(isWriteCacheEnabled: false),
  thresholds: [.available(count: 8), .used(count: 56)], capacity: BlockCount(64),
  blockLengthBytes: UInt32(blockBytes), isWriteProtected: false)

/// PERSISTENT RESERVE OUT with a list of so many bytes.
func reserveOut(_ action: UInt8, _ count: Int) -> CommandDescriptorBlock {
  let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
  return CommandDescriptorBlock([0x5F, action, 5, 0, 0] + length + [0])
}

/// MODE SELECT in both forms. What is accepted is taken back when it is sensed and sent again.
func changeModes(_ bytes: [UInt8]) {
  for form in [ModeForm.six, .ten] {
    guard let list = try? ModeSelectParameterList(decoding: bytes, form: form, unit: unit) else {
      continue
    }
    var changed = unit
    changed.current = list.settings
    let sense: [UInt8] = form == .six ? [0x1A, 0, 0x3F, 0xFF] : [0x5A, 0x10, 0x3F, 0xFF]
    guard
      let sensed = try? changed.encoded(for: CommandDescriptorBlock(sense)),
      let again = try? ModeSelectParameterList(decoding: sensed, form: form, unit: unit)
    else { preconditionFailure("what MODE SENSE returns is refused") }
    precondition(again.settings == list.settings, "MODE SENSE does not return what was selected")
  }
}

/// FORMAT UNIT with the short and the long header, SANITIZE with OVERWRITE: no pattern is longer
/// than a block.
func wipe(_ bytes: [UInt8]) {
  for isLong in [false, true] {
    let list = try? FormatParameterList(decoding: bytes, isLong: isLong, blockBytes: blockBytes)
    precondition((list?.pattern.count ?? 0) <= blockBytes, "a pattern past the end of a block")
  }
  let overwrite = try? OverwriteParameterList(decoding: bytes, blockBytes: blockBytes)
  precondition((overwrite?.pattern.count ?? 0) <= blockBytes, "a pattern past the end of a block")
}

/// A list of LOG SELECT, which sets nothing and so is refused, or has only empty pages.
func selectLog(_ bytes: [UInt8]) {
  let length = [
    UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count),
  ]
  let cdb = CommandDescriptorBlock([0x4C, 0, 0, 0, 0, 0, 0] + length + [0])
  let selection = try? LogSelection(cdb, parameters: bytes, pages: LogPage.allCases)
  precondition(selection == nil || selection == .nothing || bytes.isEmpty, "a list set something")
}

/// SET TARGET PORT GROUPS, SET IDENTIFYING INFORMATION, SET TIMESTAMP.
func tellOfUnit(_ bytes: [UInt8]) {
  if let list = try? SetTargetPortGroupsParameterList(decoding: bytes, groups: portGroups) {
    precondition(list.states.count <= portGroups.count, "a group that is not there, or twice")
  }
  for type in IdentifyingInformationType.allCases where bytes.count <= type.lengthMax {
    if IdentifyingInformationData.refusal(of: bytes, type) == nil {
      let data = IdentifyingInformationData.encoded(bytes)
      precondition(data.count == 4 + bytes.count, "identifying information is told as it was set")
    }
  }
  if let time = try? TimestampParameters(decoding: bytes) {
    precondition(time.milliseconds < 1 << 48, "a timestamp has 48 bits")
    precondition(time.encoded()[4..<10] == bytes[4..<10], "a timestamp is told as it was set")
  }
}

fuzz { bytes in
  _ = try? UnmapParameterList(decoding: bytes, limits: unmapLimits)
  for action in 0...8 as ClosedRange<UInt8> {
    _ = try? PersistentReserveOut(decoding: bytes, cdb: reserveOut(action, bytes.count))
  }
  _ = try? ExtendedCopyParameterList(decoding: bytes, form: .lid1)
  _ = try? ExtendedCopyParameterList(decoding: bytes, form: .lid4)
  _ = try? PopulateTokenParameterList(decoding: bytes)
  _ = try? WriteUsingTokenParameterList(decoding: bytes)
  changeModes(bytes)
  wipe(bytes)
  selectLog(bytes)
  tellOfUnit(bytes)
}
