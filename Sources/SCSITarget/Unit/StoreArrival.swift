public import BackingStore
internal import Reactor
internal import SCSIModel

/// Why a unit does not take a store.
public enum StoreArrivalRefusal: Error, Sendable, Equatable {
  /// It waits for none: it has one, or was not made with an `AwaitedStore`.
  case notAwaited
  /// Initiators may have been told of blocks of another size: the unit has to be removed and added
  /// anew.
  case blockSizeDiffers(presented: UInt32)
}

// A store that comes, or gets its lock, after its unit.
extension LogicalUnit {
  /// Gives the unit the store that it waits for. Then every device server is to be told:
  /// `storeArrived`. From one thread at a time.
  public func take(_ store: any Store) throws(StoreArrivalRefusal) {
    guard let awaited = self.store as? AwaitedStore, awaited.store == nil else {
      throw .notAwaited
    }
    let geometry = store.geometry
    guard geometry.logicalBlockBytes == logicalBlockBytes else {
      throw .blockSizeDiffers(presented: logicalBlockBytes)
    }
    // Before anything is served, for which it needs its size.
    adopt(geometry)
    guard awaited.arrive(store) else { throw .notAwaited }
  }
}

extension DeviceServer {
  /// What an initiator hears of a store that has not come yet. Linux waits up to 100 s at every
  /// scan for a disk that says it is becoming ready, and takes a disk that is not removable and has
  /// no medium for one that never gets any; of one that needs intervention it goes on, and
  /// multipath uses other paths.
  var absence: SenseData {
    unit.isRemovable ? .mediumNotPresent : .logicalUnitNotReadyManualInterventionRequired
  }

  /// Tells every nexus here that there is a store now.
  public func storeArrived() {
    for nexus in nexuses { nexus.storeArrived() }
  }
}

extension LogicalUnitNexus {
  /// What the initiator hears while the store waits for its lock. Who does hears of its end, too.
  func waitForLock() -> SenseData {
    awaitsLock = true
    return .logicalUnitNotReadyBecomingReady
  }

  fileprivate func storeArrived() {
    establish(.notReadyToReadyChange)
    establish(.capacityDataHasChanged)
  }
}

extension InitiatorTargetNexus {
  /// Tells the initiator that the store of `unit` has its lock, as it would of one that arrived, if
  /// it was told to wait for it; whether it was.
  public func lockGranted(of unit: LogicalUnit) -> Bool {
    let waiting = unitNexuses.filter { $0.awaitsLock && $0.server.unit === unit }
    for nexus in waiting {
      nexus.awaitsLock = false
      nexus.storeArrived()
    }
    return !waiting.isEmpty
  }
}
