import AdministrationModel
import Foundation
import Testing

@testable import AdministrationServer

@Suite("Routes")
struct RouteTests {
  static let target = FakeAdministrator.target
  static let node = EntryKey(initiator: "iqn.node1")
  static let narrow = EntryKey(initiator: "iqn.node1", addresses: ["192.0.2.0/24", "::1"])
  static let credential = CredentialSpecification(user: "u", secret: SecretText("123456789adm"))
  static let credentialBody = #"{"user":"u","secret":"123456789adm"}"#

  static let changes: [(String, String, String?, Change)] = [
    ("POST", "targets", #"{"name":"t"}"#, .addTarget(TargetSpecification(name: "t"))),
    (
      "PATCH", "targets/t", #"{"alias":"x","chap":null}"#,
      .setTarget(Change.TargetKeys("t", ["alias": "x", "chap": .null]))
    ),
    ("DELETE", "targets/t", nil, .removeTarget(Change.TargetName("t"))),
    (
      "POST", "targets/t/luns", #"{"store":"a","lun":0}"#,
      .addLUN(Change.LUNAddition(target: "t", LUNSpecification(lun: 0, store: "a")))
    ),
    (
      "DELETE", "targets/t/luns/16383", nil,
      .removeLUN(Change.LUNName(target: "t", lun: 16383))
    ),
    (
      "POST", "targets/t/acl", #"{"initiator":"any"}"#,
      .addACLEntry(Change.EntryAddition(target: "t", AccessEntrySpecification(initiator: "any")))
    ),
    (
      "PATCH", "targets/t/acl/iqn.node1", #"{"readOnly":true}"#,
      .setACLEntry(Change.EntryKeys(target: "t", node, ["readOnly": true]))
    ),
    (
      "DELETE", "targets/t/acl/iqn.node1?addresses=192.0.2.0%2F24,::1", nil,
      .removeACLEntry(Change.EntryName(target: "t", narrow))
    ),
    (
      "POST", "targets/t/acl/iqn.node1/luns", #"{"store":"a"}"#,
      .addLUN(Change.LUNAddition(target: "t", entry: node, LUNSpecification(store: "a")))
    ),
    (
      "DELETE", "targets/t/acl/iqn.node1/luns/3", nil,
      .removeLUN(Change.LUNName(target: "t", entry: node, lun: 3))
    ),
    (
      "POST", "targets/t/chap", credentialBody,
      .addCHAPUser(Change.UserAddition(credential, at: CredentialPlace(target: "t")))
    ),
    (
      "DELETE", "targets/t/chap/u%20v", nil,
      .removeCHAPUser(
        Change.UserName("u v", at: CredentialPlace(target: "t"), allowingOpenAccess: false))
    ),
    (
      "POST", "targets/t/acl/iqn.node1/chap", credentialBody,
      .addCHAPUser(Change.UserAddition(credential, at: CredentialPlace(target: "t", entry: node)))
    ),
    (
      "DELETE", "discovery/chap/u?allowingOpenAccess", nil,
      .removeCHAPUser(Change.UserName("u", at: .discovery, allowingOpenAccess: true))
    ),
    (
      "PUT", "discovery/mutual-chap", credentialBody,
      .setMutualCHAP(Change.UserAddition(credential, at: .discovery))
    ),
    ("DELETE", "targets/t/mutual-chap", nil, .clearMutualCHAP(CredentialPlace(target: "t"))),
    (
      "POST", "stores", #"{"name":"a","kind":"memory","sizeBytes":4096}"#,
      .addStore(StoreSpecification(name: "a", kind: .memory, sizeBytes: 4096))
    ),
    (
      "PATCH", "stores/a%2Fb", #"{"cache":"none"}"#,
      .setStore(Change.StoreKeys("a/b", ["cache": "none"]))
    ),
    (
      "POST", "stores/a/resize", #"{"sizeBytes":8192}"#,
      .resizeStore(Change.StoreSize("a", sizeBytes: 8192))
    ),
    ("DELETE", "stores/a", nil, .removeStore(Change.StoreName("a"))),
    (
      "POST", "portals", #"{"address":"[::]:3260"}"#,
      .addPortal(PortalSpecification(address: "[::]:3260"))
    ),
    ("DELETE", "portals/%5B::%5D:3260", nil, .removePortal(Change.PortalName("[::]:3260"))),
  ]

  @Test("Each change by its own path is the change that it says")
  func changes() async throws {
    try await Bench.run { bench in
      for (method, path, body, change) in Self.changes {
        let answer = try await bench.ask(method, "/v1/\(path)", body)
        #expect(answer.status == 200, "\(method) \(path): \(answer.body.prefix(200))")
        #expect(bench.administrator.requests.last?.changes == [change], "\(method) \(path)")
      }
    }
  }

  @Test("Options of changes are true, 1 or nothing; false, 0 or absent")
  func options() async throws {
    try await Bench.run { bench in
      _ = try await bench.ask("DELETE", "/v1/stores/a?force&runtimeOnly=1&now=true&dryRun=false")
      #expect(
        bench.administrator.requests.last?.options
          == ChangeOptions(force: true, runtimeOnly: true, now: true))
      let refusal = try await bench.refusal("DELETE", "/v1/stores/a?force=yes")
      #expect(refusal.error.code == .invalid)
      #expect(refusal.error.path == "force")
    }
  }

  @Test("Parts of a target have paths of their own")
  func parts() async throws {
    try await Bench.run { bench in
      let base = "/v1/targets/\(Self.target)"
      #expect(try await bench.ask("GET", "\(base)/luns/7").body.contains(#""store":"c""#))
      #expect(try await bench.refusal("GET", "\(base)/luns/8").error.code == .notFound)
      let entry = "\(base)/acl/IQN.node1"
      let refusal = try await bench.refusal("GET", entry)
      #expect(refusal.error.code == .conflict)
      #expect(try await bench.ask("GET", "\(entry)?addresses=::1").body.contains(#"["::1"]"#))
      let users = try await bench.ask("GET", "\(entry)/chap?addresses=192.0.2.0%2F24")
      #expect(users.body == #"{"users":["node1"]}"#)
      #expect(
        try await bench.ask("GET", "\(base)/chap").body
          == #"{"mutualUser":"target","users":["iscsiadm"]}"#)
    }
  }

  @Test(
    "What is wrong with a request is told by code, path and status",
    arguments: [
      ("GET", "/", nil, 404, "there is nothing at \"/\"", nil),
      ("GET", "/v2/targets", nil, 404, "there is nothing at", nil),
      ("GET", "/v1/targets/a/b/c/d/e/f", nil, 404, "there is nothing at", nil),
      ("PUT", "/v1/targets", nil, 405, "\"PUT\" does not work here, but GET, POST", nil),
      ("POST", "/v1/targets", nil, 400, "the request has no body", nil),
      ("POST", "/v1/targets", "{", 400, "the body is not JSON", nil),
      ("POST", "/v1/targets", "[]", 400, "is not an object", ""),
      ("POST", "/v1/targets", "{}", 400, "is missing", "name"),
      ("POST", "/v1/targets", #"{"name":7}"#, 400, "is not a text", "name"),
      ("POST", "/v1/targets", #"{"name":"t","lun":[]}"#, 400, "unknown key", "lun"),
      (
        "POST", "/v1/targets", #"{"name":"t","luns":[{"store":"a","lun":70000}]}"#, 400,
        "a number in the body is out of range", nil
      ),
      (
        "POST", "/v1/targets", #"{"name":"t","acl":[{"initiator":"any","adresses":[]}]}"#, 400,
        "unknown key", "acl[0].adresses"
      ),
      ("POST", "/v1/stores", #"{"name":"a","kind":"tape"}"#, 400, "", "kind"),
      ("POST", "/v1/changes", #"{"changes":[]}"#, 400, "there is no change in it", "changes"),
      (
        "POST", "/v1/changes", #"{"changes":[{"addStore":{"name":"a"}}]}"#, 400, "is missing",
        "changes[0].addStore.kind"
      ),
      (
        "POST", "/v1/changes", #"{"changes":[{"addStore":{"name":"a","kind":"null"},"x":{}}]}"#,
        400,
        "unknown key", "changes[0].x"
      ),
      (
        "POST", "/v1/changes", #"{"changes":[{"burn":{}}]}"#, 400, "names no known change",
        "changes[0]"
      ),
      ("DELETE", "/v1/stores/a?runtimeonly", nil, 400, "unknown query parameter", "runtimeonly"),
      ("DELETE", "/v1/stores/a?now&now", nil, 400, "the query parameter is given twice", "now"),
      ("GET", "/v1/status?x=1", nil, 400, "unknown query parameter", "x"),
      ("GET", "/v1/stores/a%", nil, 400, "is not percent-encoded UTF-8 text", "store"),
      ("GET", "/v1/stores/%FF", nil, 400, "is not percent-encoded UTF-8 text", "store"),
      ("GET", "/v1/stores/%00", nil, 400, "is not percent-encoded UTF-8 text", "store"),
      ("GET", "/v1/sessions/-1", nil, 400, "is not a number in range", "session"),
      ("DELETE", "/v1/targets/t/luns/65536", nil, 400, "is not a number in range", "lun"),
      ("GET", "/v1/events?after=x", nil, 400, "is not a number", "after"),
    ] as [(String, String, String?, Int, String, String?)])
  func wrong(
    method: String, path: String, body: String?, status: Int, message: String, place: String?
  ) async throws {
    try await Bench.run { bench in
      let refusal = try await bench.refusal(method, path, body)
      #expect(refusal.status == status)
      #expect(message.isEmpty || refusal.error.message.contains(message), "\(refusal.error)")
      #expect((refusal.error.path ?? "") == (place ?? ""))
      #expect(bench.administrator.requests.isEmpty)
    }
  }

  @Test("A body that is no good does not show its secrets in the error")
  func secretsInErrors() async throws {
    try await Bench.run { bench in
      for body in [
        #"{"user":"u","secret":"opensesame""#, #"{"user":"u","secret":["opensesame"]}"#,
        #"{"user":7,"secret":"opensesame"}"#,
        #"{"user":"u","secret":"opensesame","x":"opensesame"}"#,
      ] {
        let answer = try await bench.ask("POST", "/v1/discovery/chap", body)
        #expect(answer.status == 400)
        #expect(!answer.body.contains("opensesame"))
      }
    }
  }

  @Test("A 405 names the methods that are there")
  func allow() async throws {
    try await Bench.run { bench in
      let text = "PUT /v1/stores/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      let answer = try await RawConnection.exchange(bench.path, text)
      #expect(answer.lowercased().contains("\r\nallow: get, patch, delete\r\n"))
    }
  }
}
