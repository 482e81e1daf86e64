internal import Reactor

extension TargetDirectory {
  /// What a running session would lose if this directory were published: the LUNs that it has, and
  /// that would be gone or other units; nil: the session itself would end.
  public func losses(of session: SessionSummary) -> [UnitPresentation]? {
    guard let (_, target) = target(named: session.targetName) else { return nil }
    let kept = units(of: session, at: target)
    return session.units.filter { unit in
      !kept.contains { $0.lun == unit.lun && $0.unit == unit.unit }
    }
  }

  /// Who would not be let in any more keeps what the target presents to anybody (`Worker.publish`).
  private func units(
    of session: SessionSummary, at target: TargetDefinition
  ) -> [UnitPresentation] {
    if let address = session.connections.first?.peerAddress,
      let right = right(of: session.initiatorName, at: address, to: target)
    {
      return target.units(for: right)
    }
    return target.units + target.accessEntries.flatMap { $0.units ?? [] }
  }
}
