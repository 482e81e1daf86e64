/// The text that arrives over several PDUs with the C bit (RFC 7143 §6.2), until it is whole.
/// Bounded in bytes and in PDUs; after an error it holds nothing.
public struct TextAccumulator: Sendable {
  /// Eight full login PDUs; the longest text anybody sends is below 4 KiB.
  public static let bytesMax = 65536
  public static let pduCountMax = 32

  private var held: [UInt8] = []
  private var pduCount = 0

  public init() {}

  /// Takes one data segment. The whole text once `continues` is false; nil while more is to come.
  public mutating func append(_ data: [UInt8], continues: Bool) throws(TextError) -> [UInt8]? {
    do throws(TextError) {
      guard pduCount < TextAccumulator.pduCountMax else { throw .tooManyPDUs }
      guard data.count <= TextAccumulator.bytesMax - held.count else { throw .textTooLong }
      guard !continues || !data.isEmpty else { throw .emptyContinuation }
    } catch {
      reset()
      throw error
    }
    held.append(contentsOf: data)
    pduCount += 1
    guard !continues else { return nil }
    defer { reset() }
    return held
  }

  public mutating func reset() {
    held = []
    pduCount = 0
  }
}
