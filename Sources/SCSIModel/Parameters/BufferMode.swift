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
