/// Chooses and makes engines: io_uring where the kernel lets us, AIO otherwise.
public enum EngineSelection {
  /// The configuration's "engine".
  public enum Preference: String, Sendable, CaseIterable {
    case auto, uring, aio
  }

  /// The engine to use for every reactor.
  public struct Choice: Sendable {
    public let kind: EngineKind
    /// Why `auto` did not choose io_uring, for the log; nil if it did or was not asked.
    public let reason: String?
  }

  /// What to use. `uring` stays `uring` even where it is refused: who asked for it is told by
  /// `make`.
  public static func choose(_ preference: Preference) -> Choice {
    switch preference {
    case .uring: return Choice(kind: .uring, reason: nil)
    case .aio: return Choice(kind: .aio, reason: nil)
    case .auto:
      let reason = probe()
      return Choice(kind: reason == nil ? .uring : .aio, reason: reason)
    }
  }

  /// Why io_uring cannot be used here; nil if it can. Makes a ring and drops it, so it also finds
  /// what a seccomp filter refuses and operations the kernel lacks. May be called before any thread
  /// starts.
  public static func probe() -> String? {
    do throws(EngineError) {
      _ = try UringEngine()
      return nil
    } catch {
      return error.description
    }
  }

  /// Makes an engine, on the thread that will use it. `simulated` is for `TargetSimulation` to
  /// make.
  public static func make(_ kind: EngineKind) throws(EngineError) -> any IOEngine {
    switch kind {
    case .uring: return try UringEngine()
    case .aio: return try AIOEngine()
    case .simulated: throw EngineError(call: "simulated engine", error: .notSupported)
    }
  }
}
