import AdministrationClient
import AdministrationModel
import Foundation
import Glibc
import Logging
import ServiceFixtures
import Testing

@testable import AdministrationServer

@Suite("Administration socket")
struct SocketTests {
  /// A group that is not root's.
  static let group: gid_t = 4242
  static let stranger: uid_t = 65_534

  static func attributes(_ path: String) throws -> (mode: Int, owner: Int, group: Int) {
    let all = try FileManager.default.attributesOfItem(atPath: path)
    return (
      try #require(all[.posixPermissions] as? Int), try #require(all[.ownerAccountID] as? Int),
      try #require(all[.groupOwnerAccountID] as? Int)
    )
  }

  /// T-SOCK-1.
  @Test("Is for its owner alone, whatever the umask, and goes with the server")
  func mode() async throws {
    var path = ""
    try await Bench.run { bench in
      path = bench.path
      let found = try Self.attributes(path)
      #expect(found.mode == 0o600)
      #expect(found.owner == Int(geteuid()))
    }
    #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
  }

  @Test("Is for its group too, where there is one", .enabled(if: geteuid() == 0))
  func group() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let file = try SocketFile(path: "\(directory)/s", group: Self.group)
    let found = try Self.attributes(file.path)
    #expect(found.mode == 0o660)
    #expect(found.group == Int(Self.group))
    file.remove()
    close(file.descriptor)
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }

  @Test("Of a group that is not there is refused by name")
  func noGroup() async throws {
    let bench = try Bench { $0.group = "no such group" }
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    await #expect(throws: AdministrationServerError.noSuchGroup("no such group")) {
      try await bench.server.start()
    }
    #expect(SystemGroup.number(of: "root") == 0)
  }

  @Test("Takes the place of one that nobody listens on")
  func stale() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let old = try SocketFile(path: "\(directory)/admin.sock", group: nil)
    close(old.descriptor)
    #expect(FileManager.default.fileExists(atPath: old.path))
    try await Bench.run {
      $0.socketPath = old.path
    } _: { bench in
      let version = try await bench.client.version()
      #expect(version.version == "1.2.3")
      // The old one knows that the file is not its own any more.
      old.remove()
      #expect(FileManager.default.fileExists(atPath: old.path))
    }
  }

  @Test("Leaves one alone that somebody listens on")
  func live() async throws {
    try await Bench.run { first in
      let second = try Bench { $0.socketPath = first.path }
      await #expect(
        throws: AdministrationServerError.socketTaken(path: first.path)
      ) { try await second.server.start() }
      let version = try await first.client.version()
      #expect(version.version == "1.2.3")
    }
  }

  @Test("Leaves a file alone that is no socket, and a link")
  func otherFile() async throws {
    let bench = try Bench()
    defer { try? FileManager.default.removeItem(atPath: bench.directory) }
    for isLink in [false, true] {
      if isLink {
        try FileManager.default.removeItem(atPath: bench.path)
        try FileManager.default.createSymbolicLink(
          atPath: bench.path, withDestinationPath: "/nowhere")
      } else {
        try Data("x".utf8).write(to: URL(fileURLWithPath: bench.path))
      }
      await #expect(
        throws: AdministrationServerError.socket(
          path: bench.path, "there is another file, and no socket")
      ) { try await bench.server.start() }
    }
  }

  @Test(
    "Says what is wrong with its path",
    arguments: ["", String(repeating: "x", count: 108), "/a\0b"])
  func path(path: String) {
    #expect(
      throws: AdministrationServerError.socket(path: path, "the path must have 1 to 107 bytes")
    ) { try SocketFile(path: path, group: nil) }
  }

  @Test("Says that its directory is not there")
  func noDirectory() {
    #expect(
      throws: AdministrationServerError.socket(
        path: "/no/such/s", "bind: No such file or directory")
    ) { try SocketFile(path: "/no/such/s", group: nil) }
  }

  // MARK: Peers

  /// T-SOCK-1.
  @Test("Admits root, its own user and members of its group, and nobody else")
  func policy() {
    let open = PeerPolicy(user: 1000, group: Self.group)
    #expect(open.admits(Peer(user: 0, group: 0)))
    #expect(open.admits(Peer(user: 1000, group: 7)))
    #expect(open.admits(Peer(user: 5, group: Self.group)))
    #expect(open.admits(Peer(user: 5, group: 7, supplementaryGroups: [9, Self.group])))
    #expect(!open.admits(Peer(user: 5, group: 7, supplementaryGroups: [9])))
    #expect(!open.admits(Peer(user: 5, group: 7, supplementaryGroups: nil)))
    let closed = PeerPolicy(user: 1000, group: nil)
    #expect(!closed.admits(Peer(user: 5, group: Self.group)))
    #expect(!closed.admits(Peer(user: 5, group: 0)))
  }

  /// T-SOCK-1.
  @Test(
    "Answers a stranger that came through that it may not, and logs who it was",
    .enabled(if: geteuid() == 0))
  func stranger() async throws {
    try await Bench.run { bench in
      #expect(throws: RawConnection.Failure.self) {
        try RawConnection(bench.path, user: Self.stranger, group: Self.stranger)
      }
      // As if somebody had changed the modes.
      chmod(bench.directory, 0o755)
      chmod(bench.path, 0o666)
      let connection = try RawConnection(
        bench.path, user: Self.stranger, group: Self.stranger)
      await connection.send("DELETE /v1/targets/t HTTP/1.1\r\nHost: x\r\n\r\n")
      let answer = try RawConnection.parse(await connection.receiveAll().text)
      #expect(answer.status == 403)
      #expect(try RawConnection.error(answer.body).message == "user 65534 may not administer")
      #expect(bench.administrator.requests.isEmpty)
      #expect(
        bench.log.lines == [
          "warning somebody who may not administer has connected "
            + "[\"peer\": uid \(Self.stranger) pid \(getpid())]"
        ])
    }
  }

  @Test("Knows who is at the other end")
  func peer() async throws {
    let directory = try Bench.makeDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var pair: [CInt] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    defer { pair.forEach { close($0) } }
    let peer = try #require(Peer(socket: pair[0]))
    #expect(peer.user == geteuid())
    #expect(peer.group == getegid())
    #expect(peer.processID == getpid())
    #expect(peer.supplementaryGroups != nil)
    #expect(Peer(socket: -1) == nil)
  }
}
