internal import AdministrationClient
internal import AdministrationModel

/// The daemon as commands see it: what an administrator may ask, and what happens meanwhile.
protocol Daemon: Administrator {
  /// As `AdministrationClient.events`.
  func events(
    after id: UInt64?, _ receive: (Event) async throws(AdministrationError) -> Bool
  ) async throws(AdministrationError)
}

extension AdministrationClient: Daemon {}
