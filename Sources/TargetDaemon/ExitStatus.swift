/// How the process ends, by the numbers of sysexits.h, so that a service manager can tell what a
/// restart may cure from what only an edit does.
public enum ExitStatus: Int32, Sendable {
  case orderly = 0
  /// Stopped, but not cleanly: a store did not answer in time, or a second signal came.
  case failure = 1
  /// An address to listen on is taken, or is not one of this machine; or what the administration
  /// interface needs: its socket, directory, group or listener.
  case unavailable = 69
  /// The kernel refuses a ring, a thread or a limit.
  case systemError = 71
  /// The state directory cannot be used, or a file in it is damaged.
  case inputOutput = 74
  /// Another instance uses the state directory.
  case temporaryFailure = 75
  /// The configuration is wrong.
  case configuration = 78
}
