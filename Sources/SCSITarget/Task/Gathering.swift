/// Counts the answers to a question that several were asked, on the reactor that asked: those of a
/// unit's reactors, or of a nexus' units. `completion` follows the last of them.
public final class Gathering {
  private var missing: Int
  private let completion: () -> Void

  public init(count: Int, completion: @escaping () -> Void) {
    precondition(count > 0, "where nobody is asked nobody answers")
    missing = count
    self.completion = completion
  }

  public func arrived() {
    precondition(missing > 0, "each answers once")
    missing -= 1
    if missing == 0 { completion() }
  }
}
