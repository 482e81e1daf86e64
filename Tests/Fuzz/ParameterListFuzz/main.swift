// Parameter lists as they come, without a command around them: no length and no address traps.
import FuzzDriver
import SCSIModel

let unmapLimits = UnmapParameterList.Limits(blockCountMax: 1 << 20, descriptorCountMax: 128)

/// PERSISTENT RESERVE OUT with a list of so many bytes.
func reserveOut(_ action: UInt8, _ count: Int) -> CommandDescriptorBlock {
  let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
  return CommandDescriptorBlock([0x5F, action, 5, 0, 0] + length + [0])
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
}
