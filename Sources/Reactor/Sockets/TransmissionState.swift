internal import CLinux
internal import Glibc

/// What TCP knows of a connection's peer by what it sent there.
public struct TransmissionState: Sendable, Equatable {
  /// Segments on their way.
  public var unacknowledgedSegments: UInt32
  /// Retransmission time-outs in a row, since something new was acknowledged.
  public var timeouts: UInt8
  /// How long neither acknowledgement nor data has come. Long on an idle connection, too.
  public var silence: Milliseconds

  public init(unacknowledgedSegments: UInt32, timeouts: UInt8, silence: Milliseconds) {
    self.unacknowledgedSegments = unacknowledgedSegments
    self.timeouts = timeouts
    self.silence = silence
  }

  /// One packet may be lost and sent again. On a fast network the second time-out comes 0.8 s after
  /// the first transmission (measured), and on a slow one as much later as it is slower.
  static let timeoutsMin: UInt8 = 2
  /// Whose packets still come is there, though ours are lost.
  static let silenceMin = Milliseconds(500)

  /// Whether the peer is taken for dead, or cut off. Never one whose kernel acknowledges, however
  /// slow the program is that it runs.
  public var isPeerGone: Bool {
    unacknowledgedSegments > 0 && timeouts >= TransmissionState.timeoutsMin
      && silence >= TransmissionState.silenceMin
  }
}

extension TransmissionState {
  /// As the kernel knows it (TCP_INFO); nil for what is no TCP socket.
  init?(of socket: SocketHandle) {
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard
      unsafe getsockopt(socket.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0
    else { return nil }
    self.init(
      unacknowledgedSegments: info.tcpi_unacked, timeouts: info.tcpi_retransmits,
      silence: Milliseconds(min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv)))
  }
}
