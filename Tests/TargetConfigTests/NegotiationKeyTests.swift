import Testing

@testable import TargetConfig

@Suite("The negotiation by its keys")
struct NegotiationKeyTests {
  @Test("Every key of the table is written, in its order")
  func keys() {
    let members = TargetConfiguration.Negotiation.standard.members
    #expect(members.map(\.key) == ObjectShape.negotiation.keys.map(\.name))
  }

  @Test("What a target says otherwise than all others comes back from its text")
  func overrides() throws {
    let general = TargetConfiguration.Negotiation.standard
    var own = general
    own.maxBurstLength = 513
    own.firstBurstLength = 512
    own.initialR2T.toggle()
    own.dataDigest = .crc32c
    own.queueDepth = 7
    own.nopTimeoutSeconds = 9
    let overrides = own.overrides(of: general)
    #expect(
      overrides.map(\.key) == [
        "dataDigest", "maxBurstLength", "firstBurstLength", "initialR2T", "queueDepth",
        "nopTimeout",
      ])
    #expect(general.overrides(of: general).isEmpty)
    var text = try ConfigurationText(
      #"{portals: ["127.0.0.1:3260"], targets: [{name: "iqn.2026-11.com.example:t"}]}"#)
    try text.setTarget("iscsi", .object(overrides), of: "iqn.2026-11.com.example:t")
    let loaded = try ConfigurationLoader.load(text: text.text)
    #expect(loaded.configuration.targets.first?.iscsi == own)
  }
}
