internal import SCSIModel

// REPORT and SET TARGET PORT GROUPS (SPC-4 §6.37, §6.45): the groups of the target that the command
// came to, each of one port, and how this unit is accessible through them.
extension DeviceServer {
  func reportTargetPortGroups(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    let data = ReportTargetPortGroupsData(groups: targetPortGroups(nexus))
    answer(task, data.encoded(isExtended: task.cdb.parameterDataFormat == 1))
  }

  func targetPortGroups(_ nexus: LogicalUnitNexus) -> [TargetPortGroup] {
    nexus.initiatorTarget.targetPorts.map { port in
      let group = unit.access.group(port.group)
      return TargetPortGroup(
        tag: port.group, state: group.state, isPreferred: group.isPreferred,
        status: group.status, relativePorts: [port.relativePort])
    }
  }

  /// GOOD when every reactor goes by the new states.
  func setTargetPortGroups(_ task: SCSITask, _ nexus: LogicalUnitNexus) {
    do throws(SenseData) {
      let list = try SetTargetPortGroupsParameterList(
        decoding: try parameterList(of: task),
        groups: nexus.initiatorTarget.targetPorts.map(\.group))
      unit.access.set(list.states, status: .explicitlyAltered)
    } catch {
      return end(task, error)
    }
    let origin = ObjectIdentifier(nexus)
    tellEverywhere {
      $0.accessStatesChanged(except: origin)
    } then: { [self] in
      end(task, .good)
    }
  }
}
