internal import AdministrationModel

/// What the daemon serves, with the numbers of tgt: the answers of some requests, between which
/// another's change may come.
struct TgtState: Sendable {
  /// By their numbers.
  var targets: [TargetResource]
  /// In the order in which they came.
  let names: [String]
  var stores: [String: StoreResource]
  var notes: TgtNotes
  /// By name.
  private(set) var tids: [String: Int] = [:]
  private var places: [Int: Int] = [:]
  /// Targets whose numbers are noted nowhere and are not the daemon's.
  private(set) var unclaimed: [String] = []

  init(targets: [TargetResource], stores: [StoreResource] = [], notes: [NoteResource]) {
    self.notes = TgtNotes(notes)
    self.stores = Dictionary(stores.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    self.targets = targets
    names = targets.map(\.name)
    number()
    takeNotes()
    self.targets.sort { (tids[$0.name] ?? 0) < (tids[$1.name] ?? 0) }
    for (place, target) in self.targets.enumerated() {
      if let tid = tids[target.name] { places[tid] = place }
    }
  }

  /// Targets with what is theirs, and waits in notes while they or it are offline.
  private mutating func takeNotes() {
    for index in targets.indices {
      let name = targets[index].name
      if let closed = notes.closed[name] {
        targets[index].acl += closed.shown
        targets[index].isOpenToAny = targets[index].isOpenToAny || closed.isOpenToAny
      }
      if targets[index].mutualCHAPUser == nil {
        targets[index].mutualCHAPUser = notes.outgoing[name]
      }
      for unit in notes.offlineUnits where unit.target == name {
        guard targets[index].lun(UInt64(unit.lun)) == nil, stores[unit.store] != nil else {
          continue
        }
        targets[index].luns.append(unit.shown)
        stores[unit.store]?.presentedBy.append(
          PresentationResource(target: name, lun: unit.lun))
      }
    }
  }

  func offlineUnit(_ target: TargetResource, _ lun: UInt16) -> OfflineUnit? {
    notes.offlineUnits.first { $0.target == target.name && $0.lun == lun }
  }

  static func read(_ daemon: any Administrator) async throws(AdministrationError) -> TgtState {
    // With secrets: rules that wait may hold some.
    let state = TgtState(
      targets: try await daemon.targets(named: nil), stores: try await daemon.stores(named: nil),
      notes: try await daemon.notes(withSecrets: true))
    await state.claim(with: daemon)
    return state
  }

  /// A number that somebody has seen stays: what was found for a target is noted. Where that fails,
  /// another program was first, and the next reading shows it.
  private func claim(with daemon: any Administrator) async {
    let claims = unclaimed.map { TgtNotes.number(tid($0), $0) }
    guard !claims.isEmpty else { return }
    let options = ChangeOptions(runtimeOnly: true)
    do throws(AdministrationError) {
      _ = try await daemon.change(ChangeRequest(claims, options))
    } catch {}
  }

  func target(_ tid: Int?) throws(TgtFailure) -> TargetResource {
    guard let tid, let place = places[tid] else { throw .noTarget }
    return targets[place]
  }

  func tid(_ name: String) -> Int { tids[name] ?? 0 }

  /// A target that tgtadm made keeps the number that it was given. Any other has the number that
  /// the daemon gave it; where that was taken by then, the first free one behind all, or before
  /// the last that there can be.
  private mutating func number() {
    let names = Set(targets.map(\.name))
    var taken: Set<Int> = []
    for (tid, name) in notes.targetNumbers where names.contains(name) && tids[name] == nil {
      if taken.insert(tid).inserted { tids[name] = tid }
    }
    let others = targets.filter { tids[$0.name] == nil }.sorted {
      ($0.id, $0.name) < ($1.id, $1.name)
    }
    var late: [String] = []
    for target in others {
      let tid = Int(target.id)
      if tid > 0, taken.insert(tid).inserted {
        tids[target.name] = tid
      } else {
        late.append(target.name)
      }
    }
    unclaimed = late
    for name in late {
      let next = (taken.max() ?? 0) + 1
      let tid = next <= Int32.max ? next : (1...next).first { !taken.contains($0) } ?? next
      taken.insert(tid)
      tids[name] = tid
    }
  }
}

extension TargetResource {
  /// Who may log in from anywhere under any name: what tgt calls ALL.
  var admitsAll: Bool {
    isOpenToAny || acl.contains { $0.initiator == "any" && $0.addresses.isEmpty }
  }

  func lun(_ number: UInt64?) -> LUNResource? { luns.first { UInt64($0.lun) == number } }
}
