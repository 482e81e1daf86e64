internal import AdministrationModel
internal import AdministrationServer
internal import Synchronization

/// Certificate, key and tokens with which the API is served on the network: they are read anew with
/// the configuration, whose paths to them stay as they are.
final class RenewableCredentials: Sendable {
  private let server = Mutex<AdministrationServer?>(nil)

  /// nil: nobody is served any more.
  func use(_ server: AdministrationServer?) { self.server.withLock { $0 = server } }

  /// What has become of reading them anew.
  struct Outcome {
    /// Other tokens count.
    var changesTokens = false
    /// No token is left that would open anything.
    var leavesNone = false
    /// Why nothing was adopted but what is withdrawn.
    var problem: AdministrationError?
  }

  /// Reads them and has them count; of what is not good, what is withdrawn counts all the same.
  func renew() -> Outcome {
    do throws(AdministrationError) {
      return adopted(try read())
    } catch {
      var outcome = adopted(server.withLock { $0 }?.readWithdrawal())
      outcome.problem = error
      return outcome
    }
  }

  private func adopted(_ renewal: AdministrationServer.Renewal?) -> Outcome {
    guard let renewal else { return Outcome() }
    let outcome = Outcome(
      changesTokens: renewal.changesTokens, leavesNone: !renewal.hasTokens)
    server.withLock { $0 }?.adopt(renewal)
    return outcome
  }

  /// Reads them, and leaves what counts. nil: there is nothing to read.
  func read() throws(AdministrationError) -> AdministrationServer.Renewal? {
    guard let server = server.withLock({ $0 }) else { return nil }
    do throws(AdministrationServerError) { return try server.readRenewal() } catch {
      throw AdministrationError(.invalid, "\(error)", path: "admin.listener")
    }
  }
}
