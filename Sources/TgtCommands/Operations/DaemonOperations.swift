internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

// Portals, the driver and the daemon as a whole.

extension TgtadmCall {
  // MARK: Portals

  func performPortal(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    try checkDriver()
    switch operation {
    case .show:
      let portals = try await asking { daemon throws(AdministrationError) in
        try await daemon.portals()
      }
      terminal.write(
        portals.reversed().map { "Portal: \($0.address.printable),\($0.group)\n" }.joined())
    case .new: try await change([.addPortal(PortalSpecification(address: try portal()))])
    case .delete: try await change([.removePortal(Change.PortalName(try portal()))], force: true)
    default: throw .unsupported()
    }
  }

  /// An address without a port means the port of iSCSI (RFC 7143 §13.8).
  private func portal() throws(TgtFailure) -> String {
    let prefix = "portal="
    guard let text = request.parameters, text.hasPrefix(prefix) else {
      throw .invalidRequest("--param takes portal=ADDRESS[:PORT]")
    }
    let address = String(text.dropFirst(prefix.count))
    let hasPort = address.hasPrefix("[") ? address.contains("]:") : address.contains(":")
    return hasPort ? address : "\(address):\(Endpoint.defaultPort)"
  }

  // MARK: Drivers

  func performDriver(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .show:
      let state = try await state()
      let targets = state.names.map {
        "        Target \(state.tid($0)): \($0.printable)\n"
      }
      terminal.write("LLDs:\n    iscsi: ready\n" + targets.joined() + "    iser: error\n")
    case .start:
      try checkDriver()
      _ = try await status()
    case .stop:
      try checkDriver()
      throw try await state().targets.isEmpty ? .unsupported() : .driverBusy
    default: throw .unsupported()
    }
  }

  // MARK: The daemon

  func performSystem(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .show:
      let status = try await status()
      let isOffline = try await state().notes.isSystemOffline || status.phase != .running
      terminal.write(Self.system(isOffline: isOffline))
    case .stat: try await showStatistics(.system)
    case .update: try await updateSystem()
    case .delete: throw .unsupported("the daemon is ended by its service manager")
    default: throw .unsupported()
    }
  }

  private func status() async throws(TgtFailure) -> StatusResource {
    try await asking { daemon throws(AdministrationError) in try await daemon.status() }
  }

  private func updateSystem() async throws(TgtFailure) {
    _ = try await status()
    switch (request.name ?? "", request.value ?? "") {
    case ("State", _): try await updateSystemState()
    case ("debug", "off"), ("iSNS", "Off"): break
    case ("debug", "on"): remark("what is logged is chosen in the configuration")
    case ("iSNS", _), ("iSNSServerIP", _), ("iSNSServerPort", _), ("iSNSAccessControl", _):
      throw .unsupported("there is no iSNS here")
    default: throw .invalidRequest()
    }
  }

  private static func system(isOffline: Bool) -> String {
    """
    System:
        State: \(isOffline ? "offline" : "ready")
        debug: off
    LLDs:
        iscsi: ready
        iser: error
    Backing stores:
        null
        rdwr (bsoflags sync:direct)
        aio
    Device types:
        disk
        controller
    iSNS:
        iSNS=Off
        iSNSServerIP=
        iSNSServerPort=3205
        iSNSAccessControl=Off

    """
  }
}
