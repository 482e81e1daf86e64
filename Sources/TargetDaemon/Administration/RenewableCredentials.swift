internal import AdministrationModel
internal import AdministrationServer
internal import Synchronization

/// Certificate, key and tokens with which the API is served on the network: they are read anew with
/// the configuration, whose paths to them stay as they are.
final class RenewableCredentials: Sendable {
  private let server = Mutex<AdministrationServer?>(nil)

  /// nil: nobody is served any more.
  func use(_ server: AdministrationServer?) { self.server.withLock { $0 = server } }

  /// Reads them; what they are becomes of use with `adopt`. nil: there is nothing to read.
  func read() throws(AdministrationError) -> AdministrationServer.Renewal? {
    guard let server = server.withLock({ $0 }) else { return nil }
    do throws(AdministrationServerError) { return try server.readRenewal() } catch {
      throw AdministrationError(.invalid, "\(error)", path: "admin.listener")
    }
  }

  func adopt(_ renewal: AdministrationServer.Renewal) {
    server.withLock { $0 }?.adopt(renewal)
  }
}
