internal import Reactor
public import SCSIModel
internal import Synchronization

/// How much room a thin unit uses and has left, as whoever can look at the medium last found it,
/// and the soft thresholds that make an alarm of that (SBC-3 §4.7.3.7).
public final class ThinProvisioning: Sendable {
  /// Shares of the capacity, in percent: the alarm is raised when no more than this is left, or
  /// when as much as that is used; nil: never.
  private let availablePercent: UInt8?
  private let usedPercent: UInt8?
  /// THRESHOLD EXPONENT: resources are counted in sets of 2^n blocks. A mebibyte, or more where the
  /// capacity would not fit 32 bits.
  let thresholdExponent: UInt8
  private let blockBytes: UInt64

  private struct State {
    var resources: ProvisioningResources?
    /// What they were counted from.
    var found: Found?
    var reached = Reached()
    var capacityBlocks: UInt64
  }
  private let state: Mutex<State>

  private struct Found {
    var usedBytes: UInt64
    var availableBytes: UInt64
  }

  /// The thresholds that were reached at the last look.
  private struct Reached {
    var available = false
    var used = false
  }

  /// The configured thresholds, 1…99 percent. With one for what is used alone, what that leaves is
  /// the one for what is available: a file system that others fill is an alarm, too.
  init(usedPercent: UInt8?, availablePercent: UInt8?, capacity: BlockCount, blockBytes: UInt32) {
    self.usedPercent = usedPercent.map { min($0, 99) }
    self.availablePercent = availablePercent ?? usedPercent.map { 100 - min($0, 99) }
    state = Mutex(State(capacityBlocks: capacity.rawValue))
    self.blockBytes = UInt64(blockBytes)
    var exponent = UInt8(((1 << 20) / Int(blockBytes)).trailingZeroBitCount)
    while capacity.rawValue >> UInt64(exponent) > UInt64(UInt32.max) { exponent += 1 }
    thresholdExponent = exponent
  }

  public var resources: ProvisioningResources? { state.withLock { $0.resources } }

  var thresholds: [ProvisioningThreshold] {
    let capacityBlocks = state.withLock { $0.capacityBlocks }
    let available = availablePercent.map {
      ProvisioningThreshold.available(count: sets(ofBlocks: share($0, of: capacityBlocks)))
    }
    let used = usedPercent.map {
      ProvisioningThreshold.used(count: sets(ofBlocks: share($0, of: capacityBlocks)))
    }
    return [available, used].compactMap { $0 }
  }

  /// The unit has another capacity; what was found of the medium is found anew soon.
  func setCapacity(_ capacity: BlockCount) {
    state.withLock { $0.capacityBlocks = capacity.rawValue }
  }

  private func share(_ percent: UInt8, of capacityBlocks: UInt64) -> UInt64 {
    capacityBlocks / 100 * UInt64(percent) + capacityBlocks % 100 * UInt64(percent) / 100
  }

  private func sets(ofBlocks blocks: UInt64) -> UInt32 {
    UInt32(clamping: blocks >> UInt64(thresholdExponent))
  }

  /// Shows what was last found of `former`, the same medium, until somebody looks again: whether a
  /// threshold is reached is found, and told, then.
  public func adopt(_ former: ThinProvisioning) {
    guard let found = former.state.withLock({ $0.found }) else { return }
    state.withLock { state in
      guard state.resources == nil else { return }
      let (used, available) = blocks(found, of: state.capacityBlocks)
      state.found = found
      state.resources = resources(used: used, available: available)
    }
  }

  private func blocks(
    _ found: Found, of capacityBlocks: UInt64
  ) -> (used: UInt64, available: UInt64) {
    let used = min(found.usedBytes / blockBytes, capacityBlocks)
    return (used, min(found.availableBytes / blockBytes, capacityBlocks - used))
  }

  private func resources(used: UInt64, available: UInt64) -> ProvisioningResources {
    ProvisioningResources(
      availableCount: sets(ofBlocks: available), usedCount: sets(ofBlocks: used))
  }

  /// Notes what was found; whether a threshold has been reached by it.
  func note(usedBytes: UInt64, availableBytes: UInt64) -> Bool {
    let found = Found(usedBytes: usedBytes, availableBytes: availableBytes)
    let capacityBlocks = state.withLock { $0.capacityBlocks }
    let (used, available) = blocks(found, of: capacityBlocks)
    var reached = Reached()
    if let percent = availablePercent {
      reached.available = available <= share(percent, of: capacityBlocks)
    }
    // Never reached by nothing, however small the unit.
    if let percent = usedPercent {
      reached.used = used > 0 && used >= share(percent, of: capacityBlocks)
    }
    let resources = resources(used: used, available: available)
    return state.withLock { state in
      defer { state.reached = reached }
      state.found = found
      state.resources = resources
      return reached.available && !state.reached.available
        || reached.used && !state.reached.used
    }
  }
}

extension LogicalUnit {
  /// How often an initiator was told that there was no room for what it wrote (07/27/07).
  public var outOfSpaceCount: UInt64 { outOfSpaceAnswers.load(ordering: .relaxed) }

  func noteOutOfSpace() { outOfSpaceAnswers.add(1, ordering: .relaxed) }

  /// Notes, from any thread, the bytes of the medium that the unit uses and those it could still
  /// get. True: a threshold has been reached, and every nexus was told so (38/07).
  public func noteSpace(usedBytes: UInt64, availableBytes: UInt64) -> Bool {
    guard provisioning.note(usedBytes: usedBytes, availableBytes: availableBytes) else {
      return false
    }
    homeServer?.post { home in
      for server in home.unit.deviceServers {
        home.courier.send(to: server) {
          $0.establishForAll(.thinProvisioningSoftThresholdReached)
        }
      }
    }
    return true
  }
}
