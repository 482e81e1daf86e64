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

  /// Reservation commands of it that were admitted beyond `bytesMax`, or may have what is kept for
  /// such, until they give their data back. One name has few of them at a time, or its nexuses, of
  /// which it can have any number, would leave the fences of others nothing.
  private(set) var fenceCount = 0
  static let fencesMax = 16

  /// False: it has its share of them.
  func beginsFence() -> Bool {
    guard fenceCount < InitiatorAccount.fencesMax else { return false }
    fenceCount += 1
    return true
  }

  func endsFence() {
    fenceCount -= 1
    precondition(fenceCount >= 0, "what ends has begun")
  }

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
