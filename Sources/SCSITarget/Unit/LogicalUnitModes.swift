internal import SCSIModel
internal import Synchronization

/// Mode parameters, read by every reactor on every write and changed by MODE SELECT.
public final class LogicalUnitModes: Sendable {
  private let writeCache: Atomic<Bool>
  private let descriptorSense: Atomic<Bool>
  private let softwareWriteProtect: Atomic<Bool>
  private let taskAborted: Atomic<Bool>

  init(_ settings: ModeSettings) {
    writeCache = Atomic(settings.isWriteCacheEnabled)
    descriptorSense = Atomic(settings.isDescriptorSense)
    softwareWriteProtect = Atomic(settings.isSoftwareWriteProtected)
    taskAborted = Atomic(settings.isTaskAbortedStatus)
  }

  /// WCE, caching mode page: GOOD may precede stable storage until a SYNCHRONIZE CACHE.
  public var writeCacheEnabled: Bool {
    get { writeCache.load(ordering: .acquiring) }
    set { writeCache.store(newValue, ordering: .releasing) }
  }

  /// D_SENSE, control mode page: sense data in descriptor format.
  public var usesDescriptorSense: Bool {
    get { descriptorSense.load(ordering: .relaxed) }
    set { descriptorSense.store(newValue, ordering: .relaxed) }
  }

  /// SWP, control mode page: every medium-changing command is refused.
  public var isSoftwareWriteProtected: Bool {
    get { softwareWriteProtect.load(ordering: .acquiring) }
    set { softwareWriteProtect.store(newValue, ordering: .releasing) }
  }

  /// TAS, control mode page: commands aborted by another nexus end with TASK ABORTED.
  public var reportsTaskAborted: Bool {
    get { taskAborted.load(ordering: .relaxed) }
    set { taskAborted.store(newValue, ordering: .relaxed) }
  }

  /// All of them, as MODE SELECT and MODE SENSE have them.
  var settings: ModeSettings {
    get {
      ModeSettings(
        isWriteCacheEnabled: writeCacheEnabled, isDescriptorSense: usesDescriptorSense,
        isSoftwareWriteProtected: isSoftwareWriteProtected,
        isTaskAbortedStatus: reportsTaskAborted)
    }
    set {
      writeCacheEnabled = newValue.isWriteCacheEnabled
      usesDescriptorSense = newValue.isDescriptorSense
      isSoftwareWriteProtected = newValue.isSoftwareWriteProtected
      reportsTaskAborted = newValue.isTaskAbortedStatus
    }
  }
}
