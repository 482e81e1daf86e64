public import Reactor

/// A store that forgets: reads zeros, takes writes. It measures what lies above it.
public final class NullStore: Store {
  public let geometry: StoreGeometry
  public let capabilities = StoreCapabilities(canPunchHoles: true, canZeroRanges: true)
  public var readiness: StoreReadiness { .ready }

  /// `sizeBytes` is a multiple of the block size.
  public init(sizeBytes: UInt64, logicalBlockBytes: UInt32 = 512) throws(StoreError) {
    try StoreOptions(
      path: "null store", sizeBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes
    ).validate()
    geometry = StoreGeometry(
      capacityBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes,
      physicalBlockBytes: max(4096, logicalBlockBytes))
  }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    if request.operation == .read {
      let slice = request.slice
      slice.buffer.fill(slice.offset..<slice.offset + slice.count, with: 0)
    }
    request.finishLater(nil, on: reactor)
  }
}
