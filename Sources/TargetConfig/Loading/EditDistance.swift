/// Finds the key that a misspelled one was meant to be.
enum EditDistance {
  /// Longer keys are not misspellings of ours, and cost time.
  private static let lengthMax = 40

  /// The nearest candidate, when it is near enough to be what was meant.
  static func suggestion(for word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= lengthMax else { return nil }
    let plain = simplified(word)
    let ranked = candidates.map { ($0, between(plain, simplified($0))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
    return best.1 <= max(1, plain.count / 3) ? best.0 : nil
  }

  /// Case, dashes and underscores are matters of taste: `read_only` is `readOnly`.
  private static func simplified(_ word: String) -> [UInt8] {
    word.lowercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }
  }

  /// Levenshtein's distance, where exchanging two neighbours counts as one step.
  static func between(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
        var best = min(replaced, last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          best = min(best, beforeLast[j - 1] + 1)
        }
        row.append(best)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
