/// Reservations as SPC-4 §5.13 and SPC-2 §5.5 have them, written down once more and without looking
/// at the target: nodes are numbers, a table is an array.
struct ModelReservations {
  /// How a command fares under somebody else's reservation (SPC-4 tables 66 and 67, SPC-2 table
  /// 10).
  enum Rule {
    case alwaysEvenReserved, always, read, write, reserveIn, reserveOut, reserve, release
  }

  /// Keys by registration, oldest first.
  private(set) var registrations: [(node: Int, key: UInt64)] = []
  private(set) var generation: UInt32 = 0
  private(set) var type: UInt8 = 0
  /// nil also for the types that every registrant holds.
  private(set) var holder: Int?
  /// Who holds the unit by RESERVE.
  private(set) var reserver: Int?
  /// Unit attentions that the last change made: node and ASC/ASCQ.
  var attentions: [(node: Int, code: String)] = []

  private static let released = "06/2A/04"
  private static let preempted = "06/2A/03"
  private static let registrationsPreempted = "06/2A/05"

  var isReserved: Bool { type != 0 }
  private var isForAll: Bool { type == 7 || type == 8 }
  private var admitsRegistrants: Bool { type >= 5 }

  func key(of node: Int) -> UInt64? { registrations.first { $0.node == node }?.key }
  private func isHolder(_ node: Int) -> Bool {
    isReserved && (isForAll ? key(of: node) != nil : holder == node)
  }

  // MARK: Admission

  func admits(_ rule: Rule, _ node: Int) -> Bool {
    if let reserver {
      switch rule {
      case .alwaysEvenReserved, .release: return true
      case .reserveIn, .reserveOut: return false
      default: return reserver == node
      }
    }
    switch rule {
    case .alwaysEvenReserved, .always, .reserveIn, .reserveOut: return true
    case .reserve, .release: return legacy(node) != .conflict
    case .read where type == 1 || type == 5 || type == 7: return true
    case .read, .write:
      return !isReserved || isHolder(node) || admitsRegistrants && key(of: node) != nil
    }
  }

  private enum Legacy { case proceed, ignored, conflict }

  private func legacy(_ node: Int) -> Legacy {
    if registrations.isEmpty { return .proceed }
    guard isReserved else { return .conflict }
    return isHolder(node) || admitsRegistrants && key(of: node) != nil ? .ignored : .conflict
  }

  mutating func reserve(_ node: Int) -> String {
    switch legacy(node) {
    case .conflict: return "reservationConflict"
    case .ignored: return "good"
    case .proceed:
      guard reserver == nil || reserver == node else { return "reservationConflict" }
      reserver = node
      return "good"
    }
  }

  mutating func release(_ node: Int) -> String {
    if legacy(node) == .conflict { return "reservationConflict" }
    if reserver == node { reserver = nil }
    return "good"
  }

  mutating func reset() { reserver = nil }

  // MARK: PERSISTENT RESERVE OUT

  mutating func apply(
    _ action: UInt8, _ node: Int, scopeAndType: UInt8, key: UInt64, other: UInt64
  ) -> String {
    attentions = []
    let wantsType = action == 1 || action == 2
    if wantsType, !isType(scopeAndType) { return "05/24/00" }
    if action == 0 || action == 6 {
      if action == 0, key != self.key(of: node) ?? 0 { return "reservationConflict" }
      register(node, other)
      return "good"
    }
    guard let own = self.key(of: node), own == key else { return "reservationConflict" }
    switch action {
    case 1: return reserve(node, scopeAndType)
    case 2: return release(node, scopeAndType)
    case 3: return clear(node)
    default: return preempt(node, scopeAndType, other)
    }
  }

  private func isType(_ value: UInt8) -> Bool { [1, 3, 5, 6, 7, 8].contains(value) }

  private mutating func register(_ node: Int, _ key: UInt64) {
    let place = registrations.firstIndex { $0.node == node }
    if key == 0 {
      guard let place else { return }
      registrations.remove(at: place)
      generation += 1
      guard isReserved, isForAll ? registrations.isEmpty : holder == node else { return }
      let notifies = admitsRegistrants
      drop()
      if notifies { tell(Self.released, but: node) }
      return
    }
    if let place { registrations[place].key = key } else { registrations.append((node, key)) }
    generation += 1
  }

  private mutating func reserve(_ node: Int, _ type: UInt8) -> String {
    guard isReserved else {
      hold(node, type)
      return "good"
    }
    return isHolder(node) && self.type == type ? "good" : "reservationConflict"
  }

  private mutating func release(_ node: Int, _ type: UInt8) -> String {
    guard isHolder(node) else { return "good" }
    guard self.type == type else { return "05/26/04" }
    let notifies = admitsRegistrants
    drop()
    if notifies { tell(Self.released, but: node) }
    return "good"
  }

  private mutating func clear(_ node: Int) -> String {
    tell(Self.preempted, but: node)
    registrations = []
    drop()
    generation += 1
    return "good"
  }

  private mutating func preempt(_ node: Int, _ type: UInt8, _ victim: UInt64) -> String {
    if victim == 0, !(isReserved && isForAll) { return "05/26/00" }
    let holderKey = holder.flatMap { key(of: $0) }
    let takesReservation = victim == 0 || (isReserved && holderKey == victim)
    if takesReservation {
      guard isType(type) else { return "05/24/00" }
      let victims = registrations.filter { $0.node != node && (victim == 0 || $0.key == victim) }
      remove(victims.map(\.node))
      let hasChanged = self.type != type
      hold(node, type)
      for victim in victims { attentions.append((victim.node, Self.registrationsPreempted)) }
      if hasChanged { tell(Self.released, but: node) }
    } else {
      let victims = registrations.filter { $0.key == victim }
      guard !victims.isEmpty else { return "reservationConflict" }
      remove(victims.map(\.node))
      if registrations.isEmpty { drop() }
      for victim in victims where victim.node != node {
        attentions.append((victim.node, Self.registrationsPreempted))
      }
    }
    generation += 1
    return "good"
  }

  private mutating func hold(_ node: Int, _ type: UInt8) {
    self.type = type
    holder = isForAll ? nil : node
  }

  private mutating func drop() {
    type = 0
    holder = nil
  }

  private mutating func remove(_ nodes: [Int]) {
    registrations.removeAll { nodes.contains($0.node) }
  }

  private mutating func tell(_ code: String, but node: Int) {
    for registration in registrations where registration.node != node {
      attentions.append((registration.node, code))
    }
  }

  // MARK: PERSISTENT RESERVE IN

  var readKeys: [UInt8] {
    bigEndian(UInt64(generation), 4) + bigEndian(UInt64(registrations.count * 8), 4)
      + registrations.flatMap { bigEndian($0.key, 8) }
  }

  var readReservation: [UInt8] {
    let head = bigEndian(UInt64(generation), 4)
    guard isReserved else { return head + [0, 0, 0, 0] }
    let holderKey = holder.flatMap { self.key(of: $0) } ?? 0
    return head + [0, 0, 0, 16] + bigEndian(holderKey, 8) + [0, 0, 0, 0, 0, type, 0, 0]
  }
}

func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
}
