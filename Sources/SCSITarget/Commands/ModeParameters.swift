internal import BackingStore
internal import Reactor
internal import SCSIModel

// MODE SENSE and MODE SELECT (SPC-4 §6.11 to §6.14). The parameters are one set for all nexuses
// (MLUS 1), live, and not saved.
extension DeviceServer {
  func modeSense(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      answer(task, try modeSenseData(nexus).encoded(for: task.cdb))
    } catch {
      end(task, error)
    }
  }

  private func modeSenseData(_ nexus: LogicalUnitNexus) -> ModeSenseData {
    ModeSenseData(
      current: unit.modes.settings,
      defaults: ModeSettings(isWriteCacheEnabled: unit.startsWithWriteCache),
      capacity: unit.capacity, blockLengthBytes: unit.geometry.logicalBlockBytes,
      isWriteProtected: isWriteProtected(for: nexus))
  }

  /// Turning the write cache off promises that what was written before is on the medium too: the
  /// cache is off from here on, so that no write slips in behind the synchronization, and the rest
  /// follows when that has succeeded. Until then no other MODE SELECT may build on either state.
  func modeSelect(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    guard unit.modes.beginChange() else { return end(task, .busy) }
    do throws(SenseData) {
      let settings = try selectedSettings(task, nexus)
      if unit.modes.writeCacheEnabled, !settings.isWriteCacheEnabled {
        unit.modes.writeCacheEnabled = false
        return synchronize(task, then: .changeModes)
      }
      if settings != unit.modes.settings { apply(settings, by: nexus) }
      unit.modes.endChange()
      end(task, .good)
    } catch {
      unit.modes.endChange()
      end(task, error)
    }
  }

  private func selectedSettings(
    _ task: SCSITask, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> ModeSettings {
    // PARAMETER LIST LENGTH 0 changes nothing; a list that never came is an error.
    guard task.transferLength > 0 else { return unit.modes.settings }
    guard let data = task.data else { throw .parameterListLengthError }
    let list = try ModeSelectParameterList(
      decoding: data.bytes(0..<task.dataCount), form: ModeForm(task.cdb),
      unit: modeSenseData(nexus))
    return list.settings
  }

  /// The synchronization of `modeSelect` has succeeded.
  func changeModes(_ task: SCSITask) {
    guard let nexus = task.nexus else { preconditionFailure("an executing task has a nexus") }
    do throws(SenseData) {
      apply(try selectedSettings(task, nexus), by: nexus)
      unit.modes.endChange()
      end(task, .good)
    } catch {
      keepWriteCache()
      end(task, error)
    }
  }

  /// The synchronization of `modeSelect` failed or was aborted: nothing has changed.
  func keepWriteCache() {
    unit.modes.writeCacheEnabled = true
    unit.modes.endChange()
  }

  /// 2A/01 for every other nexus (SPC-4 §6.11), on all reactors.
  private func apply(_ settings: ModeSettings, by nexus: LogicalUnitNexus) {
    unit.modes.settings = settings
    let origin = ObjectIdentifier(nexus)
    for server in unit.deviceServers {
      server.post { $0.establishForAll(.modeParametersChanged, except: origin) }
    }
  }
}

extension LogicalUnitModes {
  fileprivate(set) var settings: ModeSettings {
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
