// Allocations: how often commands in steady state ask the heap, over each engine. More than a table
// that grows now and then is printed with its places; the exit status is then 1.
import AllocationCounter
import Glibc
import Reactor

guard allocation_counter_works(), SteadyState.counterCounts() else {
  print("allocations cannot be counted here")
  exit(2)
}
var isGood = true
for engine in [EngineKind.uring, .aio] {
  for command in LoopbackInitiator.Command.allCases {
    let found = try SteadyState.allocations(of: command, engine)
    let isSteady = found.count <= SteadyState.allocationsMax
    print("\(engine) \(command): \(isSteady ? "\(found.count) allocations" : "\(found)")")
    isGood = isGood && isSteady
  }
}
exit(isGood ? 0 : 1)
