internal import Reactor
public import SCSIModel
internal import Synchronization

/// How much room a thin unit has left, as whoever can look at the medium last found it, and the
/// soft threshold below which that is an alarm (SBC-3 §4.7.3.7).
public final class ThinProvisioning: Sendable {
  /// The alarm is raised when less than this share of the capacity, in percent, is left; nil:
  /// never.
  let availablePercentMin: UInt8?
  /// THRESHOLD EXPONENT: resources are counted in sets of 2^n blocks. A mebibyte, or more where the
  /// capacity would not fit 32 bits.
  let thresholdExponent: UInt8
  private let blockBytes: UInt64

  private struct State {
    var resources: ProvisioningResources?
    var isBelow = false
    var capacityBlocks: UInt64
  }
  private let state: Mutex<State>

  /// `usedPercentMax`: the configured threshold, 1…99.
  init(usedPercentMax: UInt8?, capacity: BlockCount, blockBytes: UInt32) {
    availablePercentMin = usedPercentMax.map { 100 - min($0, 99) }
    state = Mutex(State(capacityBlocks: capacity.rawValue))
    self.blockBytes = UInt64(blockBytes)
    var exponent = UInt8(((1 << 20) / Int(blockBytes)).trailingZeroBitCount)
    while capacity.rawValue >> UInt64(exponent) > UInt64(UInt32.max) { exponent += 1 }
    thresholdExponent = exponent
  }

  public var resources: ProvisioningResources? { state.withLock { $0.resources } }

  var thresholds: [ProvisioningThreshold] {
    guard let percent = availablePercentMin else { return [] }
    let capacityBlocks = state.withLock { $0.capacityBlocks }
    return [
      ProvisioningThreshold(
        availableCount: sets(ofBlocks: limitBlocks(percent, of: capacityBlocks)))
    ]
  }

  /// The unit has another capacity; what was found of the medium is found anew soon.
  func setCapacity(_ capacity: BlockCount) {
    state.withLock { $0.capacityBlocks = capacity.rawValue }
  }

  private func limitBlocks(_ percent: UInt8, of capacityBlocks: UInt64) -> UInt64 {
    capacityBlocks / 100 * UInt64(percent) + capacityBlocks % 100 * UInt64(percent) / 100
  }

  private func sets(ofBlocks blocks: UInt64) -> UInt32 {
    UInt32(clamping: blocks >> UInt64(thresholdExponent))
  }

  /// Notes what was found; whether the threshold has been crossed by it.
  func note(usedBytes: UInt64, availableBytes: UInt64) -> Bool {
    let capacityBlocks = state.withLock { $0.capacityBlocks }
    let used = min(usedBytes / blockBytes, capacityBlocks)
    let available = min(availableBytes / blockBytes, capacityBlocks - used)
    let isBelow =
      availablePercentMin.map { available < limitBlocks($0, of: capacityBlocks) } ?? false
    let resources = ProvisioningResources(
      availableCount: sets(ofBlocks: available), usedCount: sets(ofBlocks: used))
    return state.withLock { state in
      defer { state.isBelow = isBelow }
      state.resources = resources
      return isBelow && !state.isBelow
    }
  }
}

extension LogicalUnit {
  /// How often an initiator was told that there was no room for what it wrote (07/27/07).
  public var outOfSpaceCount: UInt64 { outOfSpaceAnswers.load(ordering: .relaxed) }

  func noteOutOfSpace() { outOfSpaceAnswers.add(1, ordering: .relaxed) }

  /// Notes, from any thread, the bytes of the medium that the unit uses and those it could still
  /// get. True: they have fallen below the threshold, and every nexus was told so (38/07).
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
