/// The opcodes of RFC 7143 §11.2.1.2. Any of the 64 values may arrive; only these have a meaning.
public struct Opcode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  // Initiator to target.
  public static let nopOut = Opcode(rawValue: 0x00)
  public static let scsiCommand = Opcode(rawValue: 0x01)
  public static let taskManagementRequest = Opcode(rawValue: 0x02)
  public static let loginRequest = Opcode(rawValue: 0x03)
  public static let textRequest = Opcode(rawValue: 0x04)
  public static let dataOut = Opcode(rawValue: 0x05)
  public static let logoutRequest = Opcode(rawValue: 0x06)
  public static let snackRequest = Opcode(rawValue: 0x10)

  // Target to initiator.
  public static let nopIn = Opcode(rawValue: 0x20)
  public static let scsiResponse = Opcode(rawValue: 0x21)
  public static let taskManagementResponse = Opcode(rawValue: 0x22)
  public static let loginResponse = Opcode(rawValue: 0x23)
  public static let textResponse = Opcode(rawValue: 0x24)
  public static let dataIn = Opcode(rawValue: 0x25)
  public static let logoutResponse = Opcode(rawValue: 0x26)
  public static let readyToTransfer = Opcode(rawValue: 0x31)
  public static let asynchronousMessage = Opcode(rawValue: 0x32)
  public static let reject = Opcode(rawValue: 0x3F)
}
