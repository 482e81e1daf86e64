internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

/// A request of the API.
struct APIRequest: Sendable {
  var method: HTTPMethod
  /// Percent-encoded.
  var path: String
  var body: Data?
  /// Whether it changes anything: what only looks, or only tries, does not.
  var isChange: Bool

  init(
    _ method: HTTPMethod, _ segments: [String], query: [(String, String)] = [], body: Data? = nil
  ) {
    self.method = method
    self.body = body
    isChange = method != .GET && !query.contains { $0 == ("dryRun", "true") }
    path = "/v1/" + segments.map(Self.encoded).joined(separator: "/")
    if !query.isEmpty {
      path += "?" + query.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
    }
  }

  var parts: [HTTPClientRequestPart] {
    var headers: HTTPHeaders = ["host": "localhost", "connection": "close"]
    guard let body else {
      return [
        .head(HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers))
      ]
        + [.end(nil)]
    }
    headers.add(name: "content-type", value: "application/json")
    headers.add(name: "content-length", value: "\(body.count)")
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
    return [.head(head), .body(.byteBuffer(ByteBuffer(bytes: body))), .end(nil)]
  }

  /// Everything but RFC 3986's unreserved characters becomes %XX.
  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default:
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
