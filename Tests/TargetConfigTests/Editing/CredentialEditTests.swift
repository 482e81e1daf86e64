import Testing

@testable import TargetConfig

private let name = EditSample.name

@Suite("Edits of CHAP users")
struct CredentialEditTests {
  private static let credential = NewCredential(user: "two", secret: .file(path: "secret.two"))

  @Test("Users come and go in targets, entries and discovery")
  func users() throws {
    var text = try ConfigurationText(sample)
    try text.addCHAPUser(Self.credential, to: .target(name))
    #expect(
      text.text
        == sample(
          "// the node\n",
          "// the node\n        {\"user\": \"two\", \"secret\": {\"file\": \"secret.two\"}},\n"))
    try text.removeCHAPUser("one", from: .target(name))
    #expect(!text.text.contains("the node"))

    let place = CredentialPlace.entry(AccessEntryName(initiator: "any"), target: name)
    var other = try ConfigurationText(sample)
    try other.addCHAPUser(Self.credential, to: place)
    try other.removeCHAPUser("x", from: place)
    #expect(
      other.text
        == sample(
          "{\"user\": \"x\", \"secret\": \"replace-me-x\"}",
          "\n          {\"user\": \"two\", \"secret\": {\"file\": \"secret.two\"}}"))

    var discovery = try ConfigurationText("{}")
    try discovery.addCHAPUser(Self.credential, to: .discovery)
    try discovery.setMutualCHAP(Self.credential, at: .discovery)
    try discovery.clearMutualCHAP(at: .discovery)
    #expect(
      discovery.text == """
        {
          "discovery": {
            "chap": [{"user": "two", "secret": {"file": "secret.two"}}]
          }
        }
        """)
  }

  @Test("The last user is not taken away by mistake: that would open the door")
  func lastUser() throws {
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeCHAPUser("one", from: .target(name))
      }
        == "targets[0].chap: \"one\" is the only user: without one, no authentication is needed")
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeCHAPUser("one", from: .target(name), allowingOpenAccess: true)
      }
        == sample(
          "        {\"user\": \"one\", \"secret\": \"replace-me-one-1\"}, // the node\n", ""))
    let place = CredentialPlace.entry(AccessEntryName(initiator: "any"), target: name)
    let refused = try edited { text throws(ConfigurationEditError) in
      try text.removeCHAPUser("x", from: place, allowingOpenAccess: true)
    }
    #expect(refused.hasPrefix("targets[0].acl[2].chap: \"x\" is the only user"))
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.removeCHAPUser("nobody", from: .target(name))
      } == "targets[0].chap: there is no user \"nobody\" (users: one)")
  }

  @Test("A list of users that is empty goes with its key, unless something else stands in it")
  func emptyUsers() throws {
    let emptied = sample.replacing(
      "          {\"user\": \"one\", \"secret\": \"replace-me-one-1\"}, // the node\n", with: "")
    #expect(
      try edited(emptied) { text throws(ConfigurationEditError) in
        text.removeEmptyUsers(at: .target(name))
      } == emptied.replacing("        \"chap\": [\n        ],\n", with: ""))
    let discovery = "{\n  \"discovery\": {\"chap\": []},\n}\n"
    #expect(
      try edited(discovery) { text throws(ConfigurationEditError) in
        text.removeEmptyUsers(at: .discovery)
      } == "{\n}\n")
    let kept = [
      "{\"discovery\": {\"chap\": [ /* none yet */ ]}}",
      "{\"discovery\": {\"chap\": [{\"user\": \"u\", \"secret\": \"replace-me-u-1\"}]}}", "{}",
    ]
    for text in kept {
      #expect(
        try edited(text) { text throws(ConfigurationEditError) in
          text.removeEmptyUsers(at: .discovery)
        } == text)
    }
  }

  @Test("A new mutual secret replaces the old one in place")
  func mutual() throws {
    let before = sample.replacing(
      "      \"acl\"",
      with:
        "      \"mutualChap\": {\"user\": \"t\", \"secret\": /* old */ \"replace-me-old-t\"},\n      \"acl\""
    )
    let changed = NewCredential(user: "t", secret: .text(Secret("replace-me-new-t")))
    #expect(
      try edited(before) { text throws(ConfigurationEditError) in
        try text.setMutualCHAP(changed, at: .target(name))
      } == before.replacing("me-old", with: "me-new"))
    #expect(
      try edited(before) { text throws(ConfigurationEditError) in
        try text.clearMutualCHAP(at: .target(name))
      } == sample)
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.clearMutualCHAP(at: .target(name))
      } == "targets[0]: there is no \"mutualChap\"")
  }

  @Test("A secret that is no text is refused, and no error shows one")
  func binarySecret() throws {
    let binary = NewCredential(user: "b", secret: .text(Secret(bytes: [0xFF, 0x00])))
    #expect(
      try edited { text throws(ConfigurationEditError) in
        try text.addCHAPUser(binary, to: .target(name))
      } == "the secret is not UTF-8 text: put it into a file of its own")
  }
}
