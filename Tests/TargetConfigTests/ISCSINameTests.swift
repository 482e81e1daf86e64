import Testing

@testable import TargetConfig

@Suite("Names of iSCSI nodes that are not as they should be")
struct ISCSINameTests {
  @Test(
    "A name with a usual slip is told as it was most likely meant",
    arguments: [
      ("iqn.2026-11.com.example:node_1", "iqn.2026-11.com.example:node-1"),
      ("iqn.2026-11.com.example:Node 1", "iqn.2026-11.com.example:node-1"),
      (" iqn.2026-11.com.example:node1 ", "iqn.2026-11.com.example:node1"),
      ("iqn.2026.11.com.example:node1", "iqn.2026-11.com.example:node1"),
      ("IQN-2026-11.com.example:node1", "iqn.2026-11.com.example:node1"),
      ("iqn.2026-1.com.example:node1", "iqn.2026-01.com.example:node1"),
      ("iqn:2026-11:com.example:node1", "iqn.2026-11.com.example:node1"),
      ("iqn.2026-13.com.example:node1", nil), ("iqn.com.example:node1", nil), ("node1", nil),
      ("iqn.2026.11", nil), ("iqn.", nil), ("192.0.2.7", nil), ("", nil),
    ] as [(String, String?)])
  func meantNames(name: String, meant: String?) {
    #expect(ISCSIName.correction(of: name) == meant)
    let sentence = ISCSIName.problem(in: name, isTarget: false) ?? ISCSIName.warning(for: name)
    #expect(sentence?.contains("; did you mean \"\(meant ?? "")\"?") == (meant != nil))
  }

  @Test("A name of no known type is compared on the node, where it is an initiator's own")
  func unknownType() {
    let said = "does not begin with iqn., eui. or naa. (RFC 7143 §4.2.7): "
    #expect(
      ISCSIName.warning(for: "foo")
        == said + "compare it with the name in the initiator's own configuration")
    #expect(
      ISCSIName.warning(for: "foo", isTarget: true) == said + "some initiators refuse it")
  }

  @Test("A name without a date, and an address in place of a name, say which rule they break")
  func brokenRules() {
    let undated = ISCSIName.warning(for: "iqn.com.example:node1")
    #expect(undated?.hasPrefix("has no date: the form is iqn.yyyy-mm.reversed.domain:name") == true)
    for address in ["192.0.2.7", "192.0.2.0/24", "2001:db8::7"] {
      #expect(ISCSIName.warning(for: address)?.hasPrefix("is an address: ") == true, "\(address)")
    }
  }
}
