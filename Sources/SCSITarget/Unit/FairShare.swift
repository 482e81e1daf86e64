/// How a bounded number of places of a logical unit is divided between its nexuses: first come,
/// first served, but the last quarter is for those that have few. So nobody who wants everything,
/// with one session or with several, keeps out who wants little.
///
/// The one rule for the task set, for claims of ranges and for third-party copies.
enum FairShare {
  /// What is kept for those that have few.
  static func keptPlaces(of places: Int) -> Int { places / 4 }

  /// From here on a nexus has many: a sixteenth of what is kept, so that sixteen nexuses find room
  /// there.
  static func many(of places: Int) -> Int { max(1, keptPlaces(of: places) / 16) }

  /// Whether a nexus that has `held` of the `taken` places may take one more. Asks for `held` only
  /// when few are left.
  @inline(__always)
  static func admits(taken: Int, of places: Int, held: () -> Int) -> Bool {
    let left = places - taken
    if left > keptPlaces(of: places) { return true }
    return left > 0 && held() < many(of: places)
  }
}
