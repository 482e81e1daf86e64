internal import BackingStore
internal import Reactor
internal import SCSIModel

// MODE SENSE and MODE SELECT (SPC-4 §6.11 to §6.14). The parameters are one set for all nexuses,
// and live. SP saves them all, if somebody can keep them: what is saved is what the unit starts
// with.
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
      defaults: unit.defaultSettings,
      saved: unit.parameters.persistence == nil ? nil : unit.savedSettings,
      thresholds: unit.provisioning.thresholds, capacity: unit.capacity,
      blockLengthBytes: unit.geometry.logicalBlockBytes,
      isWriteProtected: isWriteProtected(for: nexus))
  }

  /// Turning the write cache off promises that what was written before is on the medium too: the
  /// cache is off from here on, so that no write slips in behind the synchronization, and the rest
  /// follows when that has succeeded. Until then no other MODE SELECT may build on either state.
  func modeSelect(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    guard !task.cdb.isSavePages || unit.parameters.persistence != nil else {
      return end(task, .invalidFieldInCDB(byte: 1, bit: 0))
    }
    guard unit.parameters.beginChange() else { return end(task, .busy) }
    do throws(SenseData) {
      let settings = try selectedSettings(task, nexus)
      if unit.modes.writeCacheEnabled, !settings.isWriteCacheEnabled {
        unit.modes.writeCacheEnabled = false
        return synchronize(task, then: .changeModes)
      }
      finishChange(task, settings, nexus, hasTurnedOffCache: false)
    } catch {
      unit.parameters.endChange()
      end(task, error)
    }
  }

  private func selectedSettings(
    _ task: SCSITask, _ nexus: LogicalUnitNexus
  ) throws(SenseData) -> ModeSettings {
    let bytes = try parameterList(of: task)
    // PARAMETER LIST LENGTH 0 changes nothing.
    guard !bytes.isEmpty else { return unit.modes.settings }
    let list = try ModeSelectParameterList(
      decoding: bytes, form: ModeForm(task.cdb), unit: modeSenseData(nexus))
    return list.settings
  }

  /// The synchronization of `modeSelect` has succeeded.
  func changeModes(_ task: SCSITask) {
    guard let nexus = task.nexus else { preconditionFailure("an executing task has a nexus") }
    do throws(SenseData) {
      let settings = try selectedSettings(task, nexus)
      finishChange(task, settings, nexus, hasTurnedOffCache: true)
    } catch {
      keepWriteCache()
      end(task, error)
    }
  }

  /// Saves the settings if SP asks for it, puts them in force, and ends the task. What cannot be
  /// saved does not come into force either.
  private func finishChange(
    _ task: SCSITask, _ settings: ModeSettings, _ nexus: LogicalUnitNexus,
    hasTurnedOffCache: Bool
  ) {
    guard task.cdb.isSavePages else {
      return conclude(task, settings, nexus, hasTurnedOffCache: hasTurnedOffCache)
    }
    var saved = unit.parameters.saved
    saved.modes = SavedParameters.Modes(
      settings: settings, configuredWriteCache: unit.startsWithWriteCache)
    save(saved) { [self] error in
      guard error != nil else {
        return conclude(task, settings, nexus, hasTurnedOffCache: hasTurnedOffCache)
      }
      if hasTurnedOffCache { keepWriteCache() } else { unit.parameters.endChange() }
      end(task, .internalTargetFailure)
    }
  }

  private func conclude(
    _ task: SCSITask, _ settings: ModeSettings, _ nexus: LogicalUnitNexus,
    hasTurnedOffCache: Bool
  ) {
    guard hasTurnedOffCache || settings != unit.modes.settings else {
      unit.parameters.endChange()
      return end(task, .good)
    }
    unit.modes.settings = settings
    // SPC-4 §6.11
    establishEverywhere(.modeParametersChanged, except: nexus) { [self] in
      unit.parameters.endChange()
      end(task, .good)
    }
  }

  /// The synchronization of `modeSelect` failed or was aborted: nothing has changed.
  func keepWriteCache() {
    unit.modes.writeCacheEnabled = true
    unit.parameters.endChange()
  }
}

extension LogicalUnit {
  /// As configured.
  var defaultSettings: ModeSettings { ModeSettings(isWriteCacheEnabled: startsWithWriteCache) }

  /// What a start begins with: what was saved, but the configuration's word on the write cache
  /// where that has changed since.
  var savedSettings: ModeSettings {
    guard let saved = parameters.saved.modes else { return defaultSettings }
    var settings = saved.settings
    if saved.configuredWriteCache != startsWithWriteCache {
      settings.isWriteCacheEnabled = startsWithWriteCache
    }
    return settings
  }
}
