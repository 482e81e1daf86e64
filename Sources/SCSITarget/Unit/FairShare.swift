/// How a bounded number of places of a logical unit is divided between initiators, known by name:
/// first come, first served, but the last quarter is for those that have few. So none of them that
/// wants everything, with one session or with several, keeps out who wants little.
///
/// The one rule for the task set, for claims of ranges and for third-party copies. What an
/// initiator has is counted on the reactor that asks. Of places there, that is all it has; of the
/// claims, which are the whole unit's, a part if its sessions are on several reactors.
enum FairShare {
  /// What is kept for those that have few.
  static func keptPlaces(of places: Int) -> Int { places / 4 }

  /// From here on an initiator has many: a sixteenth of what is kept, so that sixteen find room
  /// there, or as many as there are places.
  static func many(of places: Int) -> Int { max(1, keptPlaces(of: places) / 16) }

  /// Whether an initiator that has `held` of the `taken` places may take one more. Asks for `held`
  /// only when few are left.
  @inline(__always)
  static func admits(taken: Int, of places: Int, held: () -> Int) -> Bool {
    let left = places - taken
    if left > keptPlaces(of: places) { return true }
    return left > 0 && held() < many(of: places)
  }
}
