/// What a third-party copy may ask for, as the operating parameters and the third-party copy page
/// promise it.
public enum CopyLimits {
  /// MAXIMUM CSCD DESCRIPTOR COUNT. Initiators name two; a list over many disks fits, too.
  public static let cscdDescriptorsMax = 16
  /// MAXIMUM SEGMENT DESCRIPTOR COUNT.
  public static let segmentDescriptorsMax = 64
  /// MAXIMUM DESCRIPTOR LIST LENGTH: all of both.
  public static let descriptorListBytesMax =
    cscdDescriptorsMax * CSCDDescriptor.byteCount + segmentDescriptorsMax * CopySegment.byteCount
  /// MAXIMUM SEGMENT LENGTH: more than a count of blocks with 16 bits can ask for.
  public static let segmentBytesMax: UInt32 = 1 << 28
  /// MAXIMUM CONCURRENT COPIES of a logical unit on one reactor; the next is told BUSY.
  public static let copiesMax = 16
  /// Results kept for one initiator and logical unit; the oldest makes room.
  public static let resultsMax = 16
  /// How long a result is kept that nobody asks for.
  public static let resultSecondsMax: UInt32 = 60

  /// Ranges in the parameter list of POPULATE TOKEN and WRITE USING TOKEN.
  public static let rangeDescriptorsMax = 64
  /// MAXIMUM TOKEN TRANSFER SIZE, in bytes. Windows gives a WRITE USING TOKEN four seconds.
  public static let tokenBytesMax = 256 << 20
  /// OPTIMAL TRANSFER COUNT, in bytes.
  public static let tokenBytesOptimal = 64 << 20
  /// Tokens of one logical unit; the oldest of the initiator that has most of them makes room.
  public static let tokensMax = 256
  /// MAXIMUM INACTIVITY TIMEOUT and its default, in seconds.
  public static let tokenSecondsMax: UInt32 = 300
  public static let tokenSecondsDefault: UInt32 = 60
}
