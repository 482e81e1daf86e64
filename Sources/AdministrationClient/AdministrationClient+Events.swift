public import AdministrationModel
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

extension AdministrationClient {
  /// Hands each event to `receive` until that returns false, the daemon stops, or the task is
  /// cancelled. What `receive` has no time for waits in the daemon, which drops the oldest and says
  /// how many. With `id`, first what came after that event.
  public func events(
    after id: UInt64? = nil, _ receive: (Event) async throws(AdministrationError) -> Bool
  ) async throws(AdministrationError) {
    let query = id.map { [("after", "\($0)")] } ?? []
    let request = APIRequest(.GET, ["events"], query: query)
    let exchange = Exchange(
      socketPath: socketPath, timeout: timeout, boundsAnswer: false, request: request)
    do {
      try await exchange.run { head, parts in
        guard head.status == .ok else {
          throw Self.refusal(head.status, try await Exchange.collect(&parts))
        }
        try await Self.read(&parts, receive)
      }
    } catch {
      throw failure(error, of: request)
    }
  }

  private static func read(
    _ parts: inout Exchange.Answer,
    _ receive: (Event) async throws(AdministrationError) -> Bool
  ) async throws {
    var rest: [UInt8] = []
    while case .body(let bytes)? = try await parts.next() {
      rest += bytes.readableBytesView
      guard rest.count <= lineBytesMax || rest.contains(newline) else {
        throw AdministrationError(.internal, "an event has no end")
      }
      var lines = rest.split(separator: newline, omittingEmptySubsequences: false)
      let last = lines.popLast()
      rest = last.map { Array($0) } ?? []
      for line in lines where !line.isEmpty {
        let event = try JSONDecoder().decode(Event.self, from: Data(line))
        guard try await receive(event) else { return }
      }
    }
  }

  private static let newline = UInt8(ascii: "\n")
  private static let lineBytesMax = 1 << 20
}
