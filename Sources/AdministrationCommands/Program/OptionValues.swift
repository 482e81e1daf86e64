public import ArgumentParser
internal import CommandSupport
public import TargetConfig

// Values of options: what is wrong with one is wrong usage, and told before anybody is asked.

// MARK: One of a few words

// Another is told with those that there are.

extension TargetConfiguration.CacheMode: ExpressibleByArgument {}

extension TargetConfiguration.DiscardMode: ExpressibleByArgument {}

/// Bytes of a logical block.
enum BlockSize: Int, CaseIterable, ExpressibleByArgument {
  case small = 512
  case large = 4096

  var bytes: Int { rawValue }
}

// MARK: Sizes and names

/// A size as written, like `100GiB`: what is wrong with it has to be said in words, and an `init?`
/// has none.
struct SizeText: ExpressibleByArgument, Equatable {
  var text: String

  init?(argument: String) { text = argument }

  func bytes() throws -> UInt64 {
    do throws(ByteSize.ParseError) { return try ByteSize.parse(text) } catch {
      throw ValidationError("--size \"\(text.printable)\" \(error.sentence)")
    }
  }
}

/// The name of an initiator that is to be let in. What else is odd about one, the daemon tells.
enum InitiatorName {
  static func check(_ name: String) throws {
    guard ISCSIName.isAddress(name) else { return }
    throw ValidationError(
      "\(name) is an address, not the name of an initiator: to let in whoever comes from there, "
        + "give acl add \"any\" as the name, and --address \(name)")
  }
}
