/// A CHAP secret. It never shows itself: not in descriptions, dumps or mirrors.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  let bytes: [UInt8]

  public init(_ text: String) { bytes = Array(text.utf8) }
  public init(bytes: [UInt8]) { self.bytes = bytes }

  public var byteCount: Int { bytes.count }

  public var description: String { "<secret>" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }

  public static func == (one: Secret, other: Secret) -> Bool {
    constantTimeEquals(one.bytes, other.bytes)
  }
}

/// Whether two digests are equal, in a time that depends on their lengths only, which are public.
@inline(never)
func constantTimeEquals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  guard one.count == other.count else { return false }
  var difference: UInt8 = 0
  for index in one.indices { difference |= one[index] ^ other[index] }
  return difference == 0
}

/// A CHAP name and the secret that proves it.
public struct CHAPUser: Sendable, Equatable {
  public let name: String
  public let secret: Secret

  public init(name: String, secret: Secret) {
    self.name = name
    self.secret = secret
  }
}
