import AllocationCounter
import Glibc

/// What a thread allocated, and where it did so first.
struct Allocations: Sendable, CustomStringConvertible {
  let count: UInt64
  /// Call stacks, innermost first.
  let origins: [[String]]

  /// Ends the count of the calling thread.
  static func stopCounting() -> Allocations {
    let count = allocation_counter_stop()
    let origins = (0..<allocation_counter_origins_max).map { number -> [String] in
      var depth: Int32 = 0
      guard let frames = allocation_counter_origin(Int32(number), &depth) else { return [] }
      defer { free(frames) }
      return (0..<Int(depth)).compactMap { frames[$0].map { String(cString: $0) } }
    }
    return Allocations(count: count, origins: origins.filter { !$0.isEmpty })
  }

  var description: String {
    let stacks = origins.map { $0.joined(separator: "\n  ") }
    return "\(count) allocations, the first at\n  " + stacks.joined(separator: "\nand at\n  ")
  }
}
