// Which options go with what. tgtadm finds these mistakes before it asks the daemon.

extension TgtadmRequest {
  func check(_ operation: Operation, _ mode: Mode) throws(TgtFailure) {
    switch mode {
    case .system: try checkSystem(operation)
    case .target: try checkTarget(operation)
    case .logicalunit: try checkLogicalUnit(operation)
    case .portal: try checkPortal(operation)
    case .account: try checkAccount(operation)
    case .lld: try checkDriver(operation)
    case .session, .connection: break
    }
  }

  private func checkSystem(_ operation: Operation) throws(TgtFailure) {
    switch operation {
    case .update:
      try allow("LmonvC", .system)
      try requireNameAndValue()
    case .show, .delete, .stat: break
    default: throw unsupported(operation, .system)
    }
  }

  private func checkTarget(_ operation: Operation) throws(TgtFailure) {
    if operation != .show {
      guard let tid else { throw TgtFailure("'tid' option is necessary") }
      guard tid > 0 else { throw TgtFailure("'tid' cannot be 0") }
    }
    switch operation {
    case .new:
      try allow("LmotTC", .target)
      guard targetName != nil else {
        throw TgtFailure("creating new target requires a name, use --targetname")
      }
    case .delete: try allow("LmotCF", .target)
    case .show, .stat: try allow("LmotC", .target)
    case .bind, .unbind:
      try allow("LmotIQBHC", .target)
      guard initiatorAddress != nil || initiatorName != nil || bus != nil else {
        throw TgtFailure(
          "\(operation.rawValue) operation requires initiator-address, initiator-nameor bus")
      }
    case .update:
      try allow("LmotnvC", .target)
      try requireNameAndValue()
    case .start, .stop: throw unsupported(operation, .target)
    }
  }

  private func checkLogicalUnit(_ operation: Operation) throws(TgtFailure) {
    guard let tid else { throw TgtFailure("'tid' option is necessary") }
    guard tid > 0 else { throw TgtFailure("'tid' must not be 0") }
    guard lun != nil else { throw TgtFailure("'lun' option is necessary") }
    switch operation {
    case .new:
      try allow("LmofytlbEYCS", .logicalunit)
      guard backingStore != nil || ["disk", "cd", "ssc"].contains(deviceType) else {
        throw TgtFailure("'backing-store' option is necessary")
      }
    case .delete, .stat: try allow("LmotlC", .logicalunit)
    case .update: try allowOnly("LmofytlPC", .logicalunit)
    default: throw unsupported(operation, .logicalunit)
    }
  }

  private func checkPortal(_ operation: Operation) throws(TgtFailure) {
    switch operation {
    case .new, .delete:
      try allow("LmoCP", .portal)
      guard parameters != nil else {
        throw TgtFailure("you must specify --param portal=<portal>")
      }
    case .show: try allowOnly("LmoC", .portal)
    default: throw unsupported(operation, .portal)
    }
  }

  private func checkAccount(_ operation: Operation) throws(TgtFailure) {
    switch operation {
    case .show: try allow("LmoC", .account)
    case .new:
      try allow("LmoupfC", .account)
      guard user != nil, password != nil else {
        throw TgtFailure("'user' and 'password' options are required")
      }
    case .delete, .bind, .unbind:
      try allow(operation == .delete ? "LmouC" : "LmotuOC", .account)
      guard user != nil else { throw TgtFailure("'user' option is necessary") }
    default: throw unsupported(operation, .account)
    }
  }

  private func checkDriver(_ operation: Operation) throws(TgtFailure) {
    switch operation {
    case .start, .stop, .show: try allow("LmoC", .lld)
    default: throw TgtFailure("option \(operation.number) not supported in lld mode")
    }
  }

  // MARK: Parts

  private func requireNameAndValue() throws(TgtFailure) {
    guard name != nil, value != nil else {
      throw TgtFailure("update operation requires 'name' and 'value' options")
    }
  }

  private func allow(_ options: String, _ mode: Mode) throws(TgtFailure) {
    guard let other = given.first(where: { !options.contains($0) }) else { return }
    throw TgtFailure("\(mode.rawValue) mode: option '-\(other)' is not allowed/supported")
  }

  /// The same in the words of other places.
  private func allowOnly(_ options: String, _ mode: Mode) throws(TgtFailure) {
    guard let other = given.first(where: { !options.contains($0) }) else { return }
    throw TgtFailure("option '-\(other)' not supported in \(mode.rawValue) mode")
  }

  private func unsupported(_ operation: Operation, _ mode: Mode) -> TgtFailure {
    TgtFailure("operation \(operation.rawValue) not supported in \(mode.rawValue) mode")
  }
}
