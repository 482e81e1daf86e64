public import Reactor

/// What an errno means, operation by operation. The engine has reported it; nothing here depends on
/// who asked.
///
/// | errno             | read     | write      | synchronize | punch, zero |
/// |-------------------|----------|------------|-------------|-------------|
/// | ENOSPC EDQUOT     | medium   | outOfSpace | medium      | outOfSpace  |
/// | ENXIO ENODEV ESTALE | gone   | gone       | gone        | gone        |
/// | ENOMEM EAGAIN     | short…   | short…     | medium      | short…      |
/// | notSubmitted      | short…   | short…     | short…      | short…      |
/// | EOPNOTSUPP ENOSYS EINVAL | medium | medium | medium     | unsupported |
/// | all others        | medium   | medium     | medium      | medium      |
///
/// ENOSPC from a sync is a medium error: it tells that writes which were answered with GOOD found
/// no space when the page cache was written back, and are lost. So does ENOMEM or EAGAIN: a
/// write-back that failed for want of memory is recorded as that, reported once and forgotten, and
/// asking again would succeed.
extension StoreFailure {
  public init(_ error: SystemError, during operation: StoreRequest.Operation) {
    switch (error, operation) {
    case (.noSpace, .write), (.quotaExceeded, .write),
      (.noSpace, .punchHole), (.quotaExceeded, .punchHole),
      (.noSpace, .zeroRange), (.quotaExceeded, .zeroRange):
      self = .outOfSpace
    case (.noSuchDevice, _), (.deviceGone, _), (.staleHandle, _):
      self = .gone
    case (.outOfMemory, .synchronize), (.tryAgain, .synchronize):
      self = .medium(error)
    case (.outOfMemory, _), (.tryAgain, _), (.notSubmitted, _):
      self = .shortOfResources
    case (.notSupported, .punchHole), (.noSuchCall, .punchHole), (.invalidArgument, .punchHole),
      (.notSupported, .zeroRange), (.noSuchCall, .zeroRange), (.invalidArgument, .zeroRange):
      self = .unsupported
    default:
      self = .medium(error)
    }
  }
}
