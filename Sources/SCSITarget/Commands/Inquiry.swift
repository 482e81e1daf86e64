internal import BackingStore
internal import SCSIModel

// INQUIRY (SPC-4 §6.6) and the vital product data of a disk (SPC-4 §7.8, SBC-3 §6.5).
extension DeviceServer {
  func inquiry(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    guard task.cdb.isVitalProductData else {
      return answer(task, standardInquiryData(nexus.initiatorTarget).encoded())
    }
    guard let page = vitalProductData(task.cdb.vitalProductDataPage, nexus.initiatorTarget) else {
      return end(task, .invalidFieldInCDB(byte: 2, bit: 7))
    }
    answer(task, page.encoded(peripheral))
  }

  private var peripheral: Peripheral { unit.readiness == .absent ? .notConnected : .disk }

  private func standardInquiryData(_ nexus: InitiatorTargetNexus) -> StandardInquiryData {
    StandardInquiryData(
      peripheral: peripheral,
      vendor: unit.identity.vendor, product: unit.identity.product,
      revision: unit.identity.revision, isRemovable: unit.isRemovable,
      isMultiPort: nexus.targetPorts.count > 1,
      targetPortGroupSupport: unit.access.targetPortGroupSupport, isThirdPartyCopySupported: true)
  }

  /// nil for a page that a disk does not have.
  private func vitalProductData(_ code: UInt8, _ nexus: InitiatorTargetNexus) -> VitalProductData? {
    let capabilities = unit.store.capabilities
    return switch VitalProductDataPage(rawValue: code) {
    case .supportedPages:
      .supportedPages(VitalProductDataPage.ofDisk(withReferrals: unit.servesReferrals))
    case .unitSerialNumber: .unitSerialNumber(unit.identity.serial)
    case .deviceIdentification: deviceIdentification(nexus).page
    case .softwareInterfaceIdentification: .softwareInterfaceIdentification
    case .managementNetworkAddresses: .managementNetworkAddresses
    case .extendedInquiry:
      ExtendedInquiryData(
        isVolatileCachePresent: !capabilities.isReadOnly, servesReferrals: unit.servesReferrals
      ).page
    case .modePagePolicy: .modePagePolicy
    case .scsiPorts: SCSIPorts(ports: nexus.targetPorts).page
    case .thirdPartyCopy:
      ThirdPartyCopyPage(blockLengthBytes: unit.geometry.logicalBlockBytes).page
    case .blockLimits: unit.blockLimits.page
    case .blockDeviceCharacteristics:
      BlockDeviceCharacteristics(
        mediumRotationRate: unit.rotationRate,
        readsAfterBlockErase: unit.serves(.sanitizeBlockErase)
      ).page
    case .logicalBlockProvisioning: provisioning(capabilities).page
    case .referrals: unit.servesReferrals ? .referrals : nil
    default: nil
    }
  }

  private func deviceIdentification(_ nexus: InitiatorTargetNexus) -> DeviceIdentification {
    DeviceIdentification(
      naa: unit.naa, vendor: unit.identity.vendor, vendorSpecific: unit.identity.serial,
      group: unit.identity.group, port: nexus.port, targetName: nexus.identity.target.name)
  }

  private func provisioning(_ capabilities: StoreCapabilities) -> LogicalBlockProvisioning {
    let canUnmap = capabilities.canPunchHoles
    return LogicalBlockProvisioning(
      isUnmapSupported: canUnmap, isWriteSameUnmapSupported: canUnmap,
      isUnmappedReadAsZeros: canUnmap, isAnchorSupported: capabilities.canAnchor,
      thresholdExponent: canUnmap ? unit.provisioning.thresholdExponent : 0,
      type: canUnmap ? .thin : .notReported)
  }
}
