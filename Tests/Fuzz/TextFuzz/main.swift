// Text segments of login and text requests (RFC 7143 §6.1), and additional header segments:
// whatever arrives is a value or an error, and what was parsed encodes to what parses to the same.
import FuzzDriver
import ISCSIModel

fuzz { bytes in
  if let keys = try? TextKeys(parsing: bytes) {
    let again = try? TextKeys(parsing: keys.encoded)
    precondition(again == keys, "\(keys) does not survive a round trip")
  }
  _ = try? AdditionalHeaderSegments(parsing: bytes)

  // The same bytes as a text of several PDUs: the first byte of each piece is its length.
  var accumulator = TextAccumulator()
  var rest = bytes[...]
  while let length = rest.popFirst() {
    let piece = Array(rest.prefix(Int(length)))
    rest = rest.dropFirst(piece.count)
    guard (try? accumulator.append(piece, continues: !rest.isEmpty)) != nil else { break }
  }
}
