// Targets, their LUNs, their access lists, and CHAP users.

internal import AdministrationModel
internal import HTTPTypes

extension RouteTable {
  static var targets: [Route] {
    [
      .get("/v1/targets", "All targets") { try await $0.administrator.targets(named: nil) },
      .change(.post, "/v1/targets", "Adds a target", of: TargetSpecification.self) {
        [.addTarget($1)]
      },
      .get("/v1/targets/{target}", "A target") { try await $0.target() },
      .change(
        .patch, "/v1/targets/{target}", "Sets keys of a target as in the file; null removes one",
        of: [String: JSONValue].self
      ) { [.setTarget(Change.TargetKeys(try $0.name("target"), $1))] },
      .change(.delete, "/v1/targets/{target}", "Removes a target; its stores stay") {
        .removeTarget(Change.TargetName(try $0.name("target")))
      },
    ] + luns + entries
  }

  private static var luns: [Route] {
    let path = "/v1/targets/{target}/luns"
    return [
      .get(path, "The LUNs of a target") { try await $0.target().luns },
      .change(.post, path, "Adds a LUN", of: LUNSpecification.self) {
        [.addLUN(Change.LUNAddition(target: try $0.name("target"), $1))]
      },
      .get("\(path)/{lun}", "A LUN") { call in
        let number = try call.number("lun", UInt16.self)
        return try await call.target().luns.first { $0.lun == number }
          .orMissing("LUN", "\(number)")
      },
      .change(.delete, "\(path)/{lun}", "Removes a LUN; its store stays") {
        .removeLUN(Change.LUNName(target: try $0.name("target"), lun: try $0.number("lun")))
      },
    ]
  }

  private static var entries: [Route] {
    let path = "/v1/targets/{target}/acl"
    let entry = "\(path)/{initiator}"
    return [
      .get(path, "The access list of a target") { try await $0.target().acl },
      .change(.post, path, "Adds an entry", of: AccessEntrySpecification.self) {
        [.addACLEntry(Change.EntryAddition(target: try $0.name("target"), $1))]
      },
      .get(entry, "An entry of an access list", query: [.addresses]) {
        try $0.entry(of: try await $0.target())
      },
      .change(
        .patch, entry, "Sets keys of an entry as in the file; null removes one",
        of: [String: JSONValue].self, query: [.addresses]
      ) { [.setACLEntry(Change.EntryKeys(target: try $0.name("target"), try $0.entry, $1))] },
      .change(.delete, entry, "Removes an entry", query: [.addresses]) {
        .removeACLEntry(Change.EntryName(target: try $0.name("target"), try $0.entry))
      },
    ] + entryLUNs(entry)
  }

  private static func entryLUNs(_ entry: String) -> [Route] {
    [
      .change(
        .post, "\(entry)/luns", "Adds a LUN that only this entry shows",
        of: LUNSpecification.self, query: [.addresses]
      ) {
        [.addLUN(Change.LUNAddition(target: try $0.name("target"), entry: try $0.entry, $1))]
      },
      .change(
        .delete, "\(entry)/luns/{lun}", "Removes a LUN of this entry", query: [.addresses]
      ) {
        .removeLUN(
          Change.LUNName(
            target: try $0.name("target"), entry: try $0.entry, lun: try $0.number("lun")))
      },
    ]
  }

  /// Somebody who has CHAP users.
  struct CredentialHolder: Sendable {
    var path: String
    var summary: String
    var query: [Route.QueryParameter] = []
    var read: @Sendable (Call) async throws -> CHAPResource
  }

  static var users: [CredentialHolder] {
    [
      CredentialHolder(path: "/v1/discovery", summary: "of discovery") { call in
        let discovery = try await call.administrator.discovery()
        return CHAPResource(
          users: discovery.chapUsers, mutualUser: discovery.mutualCHAPUser)
      },
      CredentialHolder(path: "/v1/targets/{target}", summary: "of a target") { call in
        let target = try await call.target()
        return CHAPResource(users: target.chapUsers, mutualUser: target.mutualCHAPUser)
      },
      CredentialHolder(
        path: "/v1/targets/{target}/acl/{initiator}", summary: "of an entry", query: [.addresses]
      ) { call in
        let entry = try call.entry(of: try await call.target())
        return CHAPResource(users: entry.chapUsers, mutualUser: entry.mutualCHAPUser)
      },
    ]
  }

  static func credentials(_ holders: [CredentialHolder]) -> [Route] {
    holders.flatMap { holder -> [Route] in
      let (path, of, query) = (holder.path, holder.summary, holder.query)
      return [
        .get("\(path)/chap", "The CHAP users \(of)", query: query, holder.read),
        .change(
          .post, "\(path)/chap", "Adds a CHAP user \(of)", of: CredentialSpecification.self,
          query: query
        ) { [.addCHAPUser(Change.UserAddition($1, at: try $0.credentialPlace))] },
        .change(
          .delete, "\(path)/chap/{user}", "Removes a CHAP user \(of)",
          query: query + [.allowingOpenAccess]
        ) {
          .removeCHAPUser(
            Change.UserName(
              try $0.name("user"), at: try $0.credentialPlace,
              allowingOpenAccess: try $0.flag("allowingOpenAccess")))
        },
        .change(
          .put, "\(path)/mutual-chap", "Sets the user that the target proves to be \(of)",
          of: CredentialSpecification.self, query: query
        ) { [.setMutualCHAP(Change.UserAddition($1, at: try $0.credentialPlace))] },
        .change(
          .delete, "\(path)/mutual-chap", "Removes the user that the target proves to be \(of)",
          query: query
        ) { .clearMutualCHAP(try $0.credentialPlace) },
      ]
    }
  }
}
