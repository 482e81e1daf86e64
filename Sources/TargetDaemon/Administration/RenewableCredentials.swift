internal import AdministrationModel
internal import AdministrationServer
internal import Synchronization

/// Certificate, key and tokens with which the API is served on the network: they are read anew with
/// the configuration, whose paths to them stay as they are.
final class RenewableCredentials: Sendable {
  private let server = Mutex<AdministrationServer?>(nil)

  /// nil: nobody is served any more.
  func use(_ server: AdministrationServer?) { self.server.withLock { $0 = server } }

  /// What was read anew, and does not count yet.
  struct Found: Sendable {
    /// Of what is not good, what is there but for what is withdrawn; nil: there is nothing to read.
    var renewal: AdministrationServer.Renewal?
    /// Why nothing is to be adopted but what is withdrawn.
    var problem: AdministrationError?
  }

  /// What has become of that.
  struct Outcome {
    /// Other tokens count.
    var changesTokens = false
    /// No token is left that would open anything.
    var leavesNone = false
  }

  /// Reads them, and leaves what counts. May hang with their disks.
  func find() -> Found {
    guard let server = server.withLock({ $0 }) else { return Found() }
    do throws(AdministrationServerError) { return Found(renewal: try server.readRenewal()) } catch {
      return Found(
        renewal: server.readWithdrawal(),
        problem: AdministrationError(.invalid, Self.sentence(error), path: "admin.listener"))
    }
  }

  /// Without the key, which the path of the error names.
  private static func sentence(_ error: AdministrationServerError) -> String {
    if case .listener(_, let reason) = error { return reason }
    return "\(error)"
  }

  /// Has them count; of what is not good, what is withdrawn counts all the same.
  func adopt(_ found: Found) -> Outcome {
    guard let renewal = found.renewal else { return Outcome() }
    let outcome = Outcome(
      changesTokens: renewal.changesTokens, leavesNone: !renewal.hasTokens)
    server.withLock { $0 }?.adopt(renewal)
    return outcome
  }
}
