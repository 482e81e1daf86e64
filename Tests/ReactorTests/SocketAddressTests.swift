import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite("Socket addresses")
struct SocketAddressTests {
  @Test(
    "An address reads and prints in its usual form",
    arguments: [
      ("1.2.3.4:3260", "1.2.3.4:3260"), ("[::1]:3260", "[::1]:3260"), ("0.0.0.0:0", "0.0.0.0:0"),
      ("[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535"),
      ("[::ffff:10.0.0.1]:3260", "10.0.0.1:3260"), ("[fe80::1%1]:1", "[fe80::1%1]:1"),
      ("[fe80::1%lo]:1", "[fe80::1%1]:1"),
    ])
  func parse(_ text: String, _ expected: String) throws {
    #expect(try #require(SocketAddress(text)).description == expected)
  }

  @Test(
    "What is no address with a port is refused",
    arguments: [
      "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3:1", "::1:3260", "[::1]",
      "[1.2.3.4]:1", "[::1:3260", "::1]:1", "host:1", "[fe80::1%]:1", "[fe80::1%nosuch]:1",
      "1.2.3.4%lo:1", "1.2.3.4\0:1", "1.2.3.4:-1", "[]:1",
    ])
  func refuse(_ text: String) { #expect(SocketAddress(text) == nil) }

  @Test("A range contains the addresses of its prefix and no other")
  func ranges() throws {
    func contains(_ range: String, _ address: String) throws -> Bool {
      try #require(AddressRange(range)).contains(try #require(IPAddress(address)))
    }
    #expect(try contains("192.168.90.0/24", "192.168.90.255"))
    #expect(try !contains("192.168.90.0/24", "192.168.91.0"))
    #expect(try contains("192.168.90.64/26", "192.168.90.127"))
    #expect(try !contains("192.168.90.64/26", "192.168.90.128"))
    #expect(try contains("0.0.0.0/0", "255.255.255.255"))
    #expect(try !contains("0.0.0.0/0", "::1"))
    #expect(try contains("10.0.0.1", "::ffff:10.0.0.1"))
    #expect(try !contains("10.0.0.1", "10.0.0.2"))
    #expect(try contains("fe80::/10", "febf::1%lo"))
    #expect(try !contains("fe80::/10", "fec0::1"))
    #expect(try contains("::ffff:10.0.0.0/104", "10.255.0.1"))
    #expect(try !contains("::ffff:10.0.0.0/104", "11.0.0.1"))
    #expect(AddressRange("10.1.2.3/8")?.description == "10.0.0.0/8")
    #expect(AddressRange("::1")?.description == "::1")
    for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "/8", "10/8", "fe80::%lo/10"]
    {
      #expect(AddressRange(text) == nil, "\(text)")
    }
  }

  @Test(
    "Both ends of a connection know their addresses, and it has the options of every connection",
    arguments: ["127.0.0.1:0", "[::1]:0"])
  func connection(_ text: String) throws {
    let reactor = try RealEngine.uring.reactor()
    let listener = try ListeningSocket.open(address: try #require(SocketAddress(text)))
    defer { reactor.engine.close(listener) }
    let address = try #require(SocketAddress(of: listener))
    #expect(address.port != 0)
    let client = try Connection.connect(to: address)
    defer { close(client) }
    let accepted = try reactor.result { reactor.accept(on: listener, for: $0) }
    let server = SocketHandle(rawValue: Int32(try #require(accepted.value)))
    defer { reactor.engine.close(server) }
    #expect(SocketAddress(of: server) == address)
    #expect(SocketAddress(peerOf: server) == SocketAddress(of: SocketHandle(rawValue: client)))
    #expect(SocketAddress(peerOf: listener) == nil)
    #expect(fcntl(server.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    try SocketOptions.apply(to: server)
    let expected: [(Int32, Int32)] = [
      (TCP_NODELAY, 1), (TCP_KEEPIDLE, 10), (TCP_KEEPINTVL, 5), (TCP_KEEPCNT, 3),
      (TCP_USER_TIMEOUT, 30_000),
    ]
    for (option, value) in expected {
      var actual: Int32 = 0
      var length = socklen_t(4)
      getsockopt(server.rawValue, Int32(IPPROTO_TCP), option, &actual, &length)
      #expect(actual == value)
    }
  }

  @Test("A port in use is named, with the way to find who has it")
  func portInUse() throws {
    let first = try ListeningSocket.open(address: try #require(SocketAddress("127.0.0.1:0")))
    defer { close(first.rawValue) }
    let address = try #require(SocketAddress(of: first))
    let error = #expect(throws: SocketError.self) { try ListeningSocket.open(address: address) }
    let text = try #require(error).description
    #expect(text.hasPrefix("cannot listen on \(address): Address already in use"))
    #expect(text.contains("ss -ltnp 'sport = :\(address.port)'"))
  }

  @Test("An address of no interface is named as such")
  func foreignAddress() throws {
    let address = try #require(SocketAddress("192.0.2.1:3260"))
    let error = #expect(throws: SocketError.self) { try ListeningSocket.open(address: address) }
    #expect(try #require(error).description.contains("no interface of this machine"))
  }
}
