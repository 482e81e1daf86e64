import CLinux
import Glibc
import Testing

@testable import TargetDaemon

@Suite("The service manager")
struct ServiceManagerTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// A datagram socket as systemd's, by the name that it would give us.
  private func listener(_ name: String) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var path = Array(name.utf8)
    if name.hasPrefix("@") { path[0] = 0 } else { path.append(0) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let bound = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(2 + path.count))
      }
    }
    precondition(bound == 0)
    return descriptor
  }

  private func received(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  @Test("READY, STATUS and STOPPING arrive on a path and on an abstract name")
  func messages() {
    for name in [scratch("notify"), "@swift-tgtd-test-\(getpid())"] {
      let descriptor = listener(name)
      let manager = ServiceManager(socket: name)
      manager.ready("1 target\nMAINPID=1")
      #expect(received(descriptor) == "READY=1\nSTATUS=1 target MAINPID=1")
      manager.status("waiting")
      #expect(received(descriptor) == "STATUS=waiting")
      manager.stopping()
      #expect(received(descriptor) == "STOPPING=1\nSTATUS=stopping")
      close(descriptor)
    }
  }

  @Test("Nobody there, or a name that is none: nothing is sent and nothing breaks")
  func nobody() {
    let names = [nil, "", "relative", scratch("none"), "/" + String(repeating: "x", count: 200)]
    for name in names { #expect(!ServiceManager(socket: name).send("READY=1")) }
  }
}
