#if FAULT_INJECTION
  internal import BackingStore
  internal import Glibc
  internal import Logging
  internal import Reactor
  internal import TargetConfig

  /// The faults that the environment asks for, in builds that are made for tests:
  ///
  ///     SWIFT_TGTD_FAULTS='quorum1: write delay=0-500 seed=7; quorum1: sync fail=EIO after=3
  ///     count=1'
  ///
  /// A fault is the name of a store, a colon, what it hits (`read`, `write`, `sync`, `discard` or
  /// `any`) and what happens: `delay=` milliseconds or a range of them, `fail=EIO`, `fail=ENOSPC`,
  /// or `stop`, for ever. Further: `range=` first-last byte, `after=` so many requests, `count=` of
  /// requests hit, `seed=` of the delays. Of several faults the first that hits a request decides.
  struct FaultPlan {
    static let variable = "SWIFT_TGTD_FAULTS"

    private var faults: [(store: String, fault: StoreFault)] = []
    private var seeds: [String: UInt64] = [:]

    static func fromEnvironment() throws(DaemonError) -> FaultPlan {
      let text = unsafe getenv(variable).map { unsafe String(cString: $0) }
      return try FaultPlan(text ?? "")
    }

    init(_ text: String) throws(DaemonError) {
      for sentence in text.split(separator: ";") {
        let parts = sentence.split(separator: ":", maxSplits: 1)
        let words = parts.last?.split(separator: " ").map { String($0) } ?? []
        guard parts.count == 2, let fault = fault(words, for: FaultPlan.trimmed(parts[0])) else {
          throw DaemonError(
            .configuration, "\(FaultPlan.variable): cannot understand \"\(sentence)\"")
        }
        faults.append((FaultPlan.trimmed(parts[0]), fault))
      }
    }

    /// The stores as the logical units work with them.
    func applied(
      to opened: [StoreAssembly.Opened], of configuration: TargetConfiguration, _ logger: Logger
    ) throws(DaemonError) -> [StoreAssembly.Opened] {
      let names = configuration.stores.map(\.name)
      if let stranger = faults.first(where: { !names.contains($0.store) }) {
        throw DaemonError(.configuration, "\(FaultPlan.variable): no store \"\(stranger.store)\"")
      }
      return opened.map { opened in
        let name = opened.configured.name
        let mine = faults(of: name)
        guard !mine.isEmpty else { return opened }
        logger.warning("the store has faults injected", metadata: ["store": "\(name)"])
        var faulty = opened
        faulty.presented = FaultyStore(opened.store, faults: mine, seed: seeds[name] ?? 1)
        return faulty
      }
    }

    func faults(of store: String) -> [StoreFault] {
      faults.filter { $0.store == store }.map(\.fault)
    }

    // MARK: Reading

    private mutating func fault(_ words: [String], for store: String) -> StoreFault? {
      guard let first = words.first, first == "any" || FaultPlan.kinds[first] != nil else {
        return nil
      }
      var fault = StoreFault(.stop, on: FaultPlan.kinds[first])
      var hasEffect = false
      for word in words.dropFirst() {
        let parts = word.split(separator: "=", maxSplits: 1)
        let value = parts.count == 2 ? String(parts[1]) : ""
        if let effect = FaultPlan.effect(String(parts[0]), value) {
          guard !hasEffect else { return nil }
          fault.effect = effect
          hasEffect = true
        } else if !set(String(parts[0]), value, of: &fault, store) {
          return nil
        }
      }
      return hasEffect ? fault : nil
    }

    private mutating func set(
      _ name: String, _ value: String, of fault: inout StoreFault, _ store: String
    ) -> Bool {
      switch name {
      case "range":
        guard let range = FaultPlan.range(value), range.upperBound < .max else { return false }
        fault.range = Range(range)
      case "after":
        guard let skipping = Int(value), skipping >= 0 else { return false }
        fault.skipping = skipping
      case "count":
        guard let count = Int(value), count > 0 else { return false }
        fault.count = count
      case "seed":
        guard let seed = UInt64(value) else { return false }
        seeds[store] = seed
      default: return false
      }
      return true
    }

    private static func effect(_ name: String, _ value: String) -> StoreFault.Effect? {
      switch (name, value) {
      case ("delay", _):
        guard let range = range(value), range.upperBound <= 600_000 else { return nil }
        return .delay(UInt32(range.lowerBound)...UInt32(range.upperBound))
      case ("fail", "EIO"): return .failure(.medium(.inputOutput))
      case ("fail", "ENOSPC"): return .failure(.outOfSpace)
      case ("stop", ""): return .stop
      default: return nil
      }
    }

    /// "5" or "5-9".
    private static func range(_ text: String) -> ClosedRange<UInt64>? {
      let bounds = text.split(separator: "-").compactMap { UInt64($0) }
      guard let first = bounds.first, let last = bounds.last, bounds.count <= 2, first <= last
      else {
        return nil
      }
      return first...last
    }

    private static let kinds: [String: StoreFault.Kind] = [
      "read": .read, "write": .write, "sync": .synchronize, "discard": .discard,
    ]

    private static func trimmed(_ text: Substring) -> String {
      String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }
#endif
