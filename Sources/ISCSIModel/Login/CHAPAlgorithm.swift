internal import Crypto

/// A CHAP hash, by its number in the IANA PPP authentication registry (RFC 7143 §12.1.3).
public enum CHAPAlgorithm: UInt8, Sendable, CaseIterable {
  case md5 = 5
  case sha1 = 6
  case sha256 = 7
  case sha3_256 = 8

  /// All of them, strongest first.
  public static let strongestFirst: [CHAPAlgorithm] = [.sha3_256, .sha256, .sha1, .md5]

  public var digestByteCount: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha256, .sha3_256: 32
    }
  }

  /// H(identifier, secret, challenge): the response of RFC 1994 §4.1.
  public func response(identifier: UInt8, secret: Secret, challenge: [UInt8]) -> [UInt8] {
    let message = [identifier] + secret.bytes + challenge
    return switch self {
    case .md5: Array(Insecure.MD5.hash(data: message))
    case .sha1: Array(Insecure.SHA1.hash(data: message))
    case .sha256: Array(SHA256.hash(data: message))
    case .sha3_256: Array(SHA3_256.hash(data: message))
    }
  }
}
