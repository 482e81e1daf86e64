internal import BackingStore
internal import Reactor
internal import SCSIModel

// What a LOGICAL UNIT RESET makes of the mode parameters (SPC-4 §7.5.2): those that were saved, or
// else the defaults. Nobody's write protection, or change of TAS, outlives it.
extension DeviceServer {
  /// Puts the saved settings in force; `body` follows on this reactor. Called when the tasks before
  /// the reset have ended; a MODE SELECT that came after it may be at work, and is waited for.
  func revertModes(then body: @escaping () -> Void) {
    unit.parameters.awaitChange(on: reactor) { [self] in beginReversion(then: body) }
  }

  /// A cache that this turns off is off from here on, as MODE SELECT has it. Should the
  /// synchronization fail, it stays off: every further write synchronizes for itself, and says so.
  private func beginReversion(then body: @escaping () -> Void) {
    guard unit.modes.settings != unit.savedSettings else {
      unit.parameters.endChange()
      return body()
    }
    let hadWriteCache = unit.modes.writeCacheEnabled
    unit.modes.settings = unit.savedSettings
    guard hadWriteCache, !unit.modes.writeCacheEnabled, unit.readiness == .ready,
      !unit.store.capabilities.isReadOnly
    else { return endReversion(then: body) }
    let reversion = CacheReversion { [self] in
      cacheReversion = nil
      endReversion(then: body)
    }
    cacheReversion = reversion
    reversion.start(unit.store, on: reactor)
  }

  /// The unit attention of the reset says all, but to those who have heard it already, and may have
  /// asked for the settings before they reverted.
  private func endReversion(then body: @escaping () -> Void) {
    tellEverywhere { server in
      for nexus in server.nexuses {
        if !nexus.isResetPending { nexus.establish(.modeParametersChanged) }
      }
    } then: { [unit] in
      unit.parameters.endChange()
      body()
    }
  }
}

/// Synchronizes the store for a reset that turns the write cache off.
final class CacheReversion: StoreClient {
  private let request = StoreRequest()
  private let body: () -> Void

  init(_ body: @escaping () -> Void) {
    self.body = body
    request.belong(to: self)
  }

  func start(_ store: any Store, on reactor: Reactor) {
    request.prepareSynchronize()
    store.start(request, on: reactor)
  }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) { body() }
}
