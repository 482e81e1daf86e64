import Glibc

/// libFuzzer's own loop. The archive comes from the toolchain; scripts/lib/stage-fuzz.sh links it.
@_extern(c, "LLVMFuzzerRunDriver")
private func runDriver(
  _ argumentCount: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutableRawPointer,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Written once, before libFuzzer calls back on the same thread.
nonisolated(unsafe) private var subject: ([UInt8]) -> Void = { _ in }

/// Runs `body` on every input that libFuzzer makes up, until its time is over or `body` traps.
public func fuzz(_ body: @escaping ([UInt8]) -> Void) -> Never {
  subject = body
  var argumentCount = CommandLine.argc
  var arguments = CommandLine.unsafeArgv
  let status = runDriver(&argumentCount, &arguments) { bytes, count in
    subject(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }
  exit(status)
}
