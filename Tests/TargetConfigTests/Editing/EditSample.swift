import Testing

@testable import TargetConfig

/// What edits are tried on.
enum EditSample {
  /// A configuration of the house's layout, with something of everything.
  static let text = """
    // The lab.
    {
      "portals": ["192.0.2.1:3260"], // lab net

      "stores": {
        "a": {"memory": true, "size": "1MiB"}, // first
        // The second.
        "b": {"memory": true, "size": "1MiB"},
        "disk": {"block": "/dev/md0"},
      },

      "targets": [
        {
          "name": "IQN.2026-11.com.example:t",
          "luns": [{"lun": 1, "store": "a"}],
          "chap": [
            {"user": "one", "secret": "replace-me-one-1"}, // the node
          ],
          "acl": [
            // Rack 1.
            {"initiator": "iqn.2026-11.com.example:n1", "addresses": ["192.0.2.0/24"]},
            {"initiator": "iqn.2026-11.com.example:n1", "addresses": ["198.51.100.7"]},
            {"initiator": "any", "luns": [],
            "chap": [{"user": "x", "secret": "replace-me-x"}]},
          ],
        },
      ],
    }

    """

  static let name = "iqn.2026-11.com.example:t"
  static let n1 = "iqn.2026-11.com.example:n1"
}

let sample = EditSample.text

/// The sample with a piece of its text replaced; the piece must be there.
func sample(_ piece: String, _ replacement: String) -> String {
  #expect(EditSample.text.contains(piece))
  return EditSample.text.replacing(piece, with: replacement)
}

/// A text after some edits, which must still load; or the error.
func edited(
  _ text: String = EditSample.text,
  _ edit: (inout ConfigurationText) throws(ConfigurationEditError) -> Void
) throws -> String {
  var result = try ConfigurationText(text)
  do throws(ConfigurationEditError) {
    try edit(&result)
  } catch {
    #expect(result.text == text, "a failed edit left its mark")
    return "\(error)"
  }
  _ = try loaded(result.text)
  return result.text
}
