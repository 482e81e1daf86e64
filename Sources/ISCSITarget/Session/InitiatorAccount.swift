internal import Reactor

/// The memory that all sessions of one initiator on one reactor hold for data which has yet to
/// come: of commands that collect theirs, and of PDUs whose turn has not come. Together they have
/// what one session may have, so that more sessions keep no more from others. Found by name when a
/// session begins; a command only counts.
///
/// Memory of commands whose data is there is not counted: how long that is needed is up to the
/// disk.
final class InitiatorAccount {
  let bytesMax: Int
  private(set) var withheldBytes = 0
  /// Sessions that use it.
  var sessionCount = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether a buffer for `byteCount` more bytes keeps to what one initiator may have.
  func mayWithhold(_ byteCount: Int) -> Bool {
    withheldBytes + BufferPool.capacity(holding: byteCount) <= bytesMax
  }

  func withholds(_ byteCount: Int) { withheldBytes += byteCount }

  func withholdsNoMore(_ byteCount: Int) {
    withheldBytes -= byteCount
    precondition(withheldBytes >= 0, "what is not withheld any more was so before")
  }
}
