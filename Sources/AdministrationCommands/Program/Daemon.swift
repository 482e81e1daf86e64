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

extension Administrator {
  func targetIfAny(
    _ name: String
  ) async throws(AdministrationError) -> TargetResource? {
    do { return try await target(name) } catch {
      guard error.code == .notFound else { throw error }
      return nil
    }
  }
}
