// Proofs fence: FENCE_SEEDS races (20,000) from seed FENCE_FIRST (1) on.
// Proofs model: MODEL_COMMANDS commands (1,000,000) of seed MODEL_SEED (by the clock).
// A violation is printed with its seed, which repeats it; the exit status is then 1.
import Glibc
import ProofKit

func number(_ name: String) -> UInt64? {
  getenv(name).flatMap { UInt64(String(cString: $0)) }
}

func fence() throws -> Bool {
  let count = number("FENCE_SEEDS") ?? 20_000
  let first = number("FENCE_FIRST") ?? 1
  var landed = 0
  var outstanding = 0
  var isGood = true
  for seed in first..<first + count {
    let outcome = try FenceRace.run(seed: seed)
    landed += outcome.landedBefore
    outstanding += outcome.outstandingAtFence
    guard !outcome.violations.isEmpty else { continue }
    isGood = false
    print("seed \(seed): \(outcome.description)")
    for violation in outcome.violations.prefix(5) { print("  \(violation)") }
  }
  print(
    "\(count) races, \(outstanding) commands under way at the fence, \(landed) landed before its answer"
  )
  // Nothing is proven by races in which nothing was under way.
  return isGood && outstanding >= count && landed >= count
}

func model() throws -> Bool {
  let count = Int(number("MODEL_COMMANDS") ?? 1_000_000)
  let seed = number("MODEL_SEED") ?? UInt64(time(nil))
  // Several units one after the other: what has piled up in one hides nothing in the next.
  let parts = 10
  var answers: [String: Int] = [:]
  for part in 0..<parts {
    let report = try UnitModelRun.run(seed: seed &+ UInt64(part), commands: count / parts)
    answers.merge(report.answers, uniquingKeysWith: +)
    if let difference = report.difference {
      print("\(difference)\nMODEL_SEED=\(seed) MODEL_COMMANDS=\(count) repeats it")
      return false
    }
  }
  let most = answers.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
  print("seed \(seed): \(answers.values.reduce(0, +)) commands: \(most.joined(separator: ", "))")
  return true
}

let isGood: Bool
switch CommandLine.arguments.dropFirst().first {
case "fence": isGood = try fence()
case "model": isGood = try model()
default:
  print("usage: Proofs fence|model")
  exit(64)
}
exit(isGood ? 0 : 1)
