internal import SCSIModel

/// The unit attention conditions that an initiator has still to hear of, through one I_T_L nexus
/// (SAM-5 §5.14), in the order in which it will: those that tell of a reset first, else the oldest.
struct UnitAttentions {
  private var conditions: [SenseData] = []

  /// More different conditions than this do not exist at a time; before a further one they all
  /// become "power on, reset, or bus device reset occurred", which tells the initiator to look at
  /// everything.
  static let countMax = 16

  var isEmpty: Bool { conditions.isEmpty }
  var count: Int { conditions.count }
  var first: SenseData? { conditions.first }

  /// The next condition tells of a power on, a reset or a nexus loss, as all do that come before
  /// the others.
  var isResetPending: Bool { conditions.first?.tellsOfReset ?? false }

  /// Queues a condition, once: one that tells of a reset before those that do not, else last.
  mutating func establish(_ condition: SenseData) {
    guard !conditions.contains(condition) else { return }
    if conditions.count >= Self.countMax {
      conditions = [.powerOnResetOrBusDeviceResetOccurred]
    }
    let place = condition.tellsOfReset ? conditions.firstIndex { !$0.tellsOfReset } : nil
    conditions.insert(condition, at: place ?? conditions.count)
  }

  /// Puts back a condition that was taken and not told: it is older than those that are there.
  mutating func restore(_ condition: SenseData) {
    guard !conditions.contains(condition) else { return }
    guard conditions.count < Self.countMax else { return establish(condition) }
    let place = condition.tellsOfReset ? 0 : conditions.firstIndex { !$0.tellsOfReset }
    conditions.insert(condition, at: place ?? conditions.count)
  }

  /// A reset says more than anything pending before it.
  mutating func replace(with condition: SenseData) { conditions = [condition] }

  /// Drops a condition whose news the initiator has just been told.
  mutating func withdraw(_ condition: SenseData) {
    conditions.removeAll { $0.isSameCondition(as: condition) }
  }

  /// The next condition, cleared by reporting it.
  mutating func take() -> SenseData? { conditions.isEmpty ? nil : conditions.removeFirst() }
}
