internal import Reactor

/// The memory that all sessions of one initiator on one reactor hold and that waits for the
/// initiator: to send what is to be in it, or to take what is. That is the data of commands that
/// collect theirs or have ended, of PDUs that arrive or whose turn has not come, and of answers.
/// Together they have what one session may have, so that more sessions keep no more from others.
/// Found by name when a session begins; a command only counts.
///
/// Memory of commands that the disk works on is not counted: how long that is needed is up to the
/// disk.
final class InitiatorAccount {
  let bytesMax: Int
  private(set) var bytes = 0
  /// Sessions that use it.
  var sessionCount = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether a buffer for `byteCount` more bytes keeps to what one initiator may have.
  func mayLend(_ byteCount: Int) -> Bool {
    byteCount == 0 || bytes + BufferPool.capacity(holding: byteCount) <= bytesMax
  }

  /// Less than nothing: takes back.
  func lends(_ byteCount: Int) {
    bytes += byteCount
    precondition(bytes >= 0, "what is taken back was lent")
  }

  func takesBack(_ byteCount: Int) { lends(-byteCount) }
}
