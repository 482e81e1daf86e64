import Reactor

@testable import TargetDaemon

/// The kernel's file system, but for the calls that a test makes itself.
protocol FaultyFileSystem: StateFileSystem {}

extension FaultyFileSystem {
  var kernel: KernelFileSystem { KernelFileSystem() }

  func create(_ path: String) throws(SystemError) -> any StateFileBeingMade {
    try kernel.create(path)
  }
  func open(_ path: String) throws(SystemError) -> any StateFileBeingMade { try kernel.open(path) }
  func rename(_ path: String, to newPath: String) throws(SystemError) {
    try kernel.rename(path, to: newPath)
  }
  func exchange(_ path: String, _ otherPath: String) throws(SystemError) {
    try kernel.exchange(path, otherPath)
  }
  func remove(_ path: String) throws(SystemError) { try kernel.remove(path) }
  func synchronizeDirectory(_ path: String) throws(SystemError) {
    try kernel.synchronizeDirectory(path)
  }
  func stableContent(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    try kernel.stableContent(of: path, bytesMax: bytesMax)
  }
}
