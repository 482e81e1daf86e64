internal import AdministrationModel
internal import ArgumentParser

struct DoctorCommand: DaemonCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks for what usually goes wrong, and says what to do.",
    discussion: """
      On this machine: the configuration file and its mode, the state directory, io_uring, the \
      ports, limits of the daemon, the clock. With the daemon: stores that are offline or full, or \
      whose files were deleted, renamed, replaced or cut; targets that nobody may use, logins that \
      were refused lately, entries of access lists that match nobody, WWIDs that two stores have, \
      doors that are open. It changes nothing. Root sees most.

      EXAMPLES
        swift-tgtadm doctor
        swift-tgtadm doctor --config targets.json

      EXIT CODES
        0   nothing is wrong; there may be advice
        1   something is wrong
        64  wrong arguments
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration; else the daemon's, else /etc/swift-tgtd/targets.json.",
      valueName: "file"), completion: .file())
  var config: String?

  @OptionGroup var global: GlobalOptions

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    let machine = Invocation.current.machine
    var reading: DaemonReading?
    var refusal: AdministrationError?
    do throws(AdministrationError) {
      reading = try await DaemonReading(daemon)
    } catch {
      refusal = error
    }
    let local = LocalExamination(
      machine: machine, configurationFile: config, status: reading?.status,
      isRunning: refusal == nil || refusal?.code == .forbidden)
    var report = DoctorReport(examinations: [Self.reachability(refusal)] + local.all)
    if let reading {
      report.examinations +=
        DaemonExamination(
          reading, examinedFile: local.file, machine: machine
        ).all
    }
    if global.json {
      try console.writeJSON(report)
    } else {
      console.write(report.text(hasColors: console.hasColors))
    }
    guard report.wrongCount == 0 else { throw ExitCode.failure }
  }

  private static func reachability(_ error: AdministrationError?) -> Examination {
    let subject = "the daemon answers"
    guard let error else { return Examination(subject) }
    let why =
      error.code == .forbidden
      ? "what it serves cannot be looked at"
      : "nothing is served while it does not run, and nothing can be asked"
    return Examination(
      subject,
      [
        .wrong(
          error.message, why: why,
          remedy: error.remedy ?? "systemctl status swift-tgtd")
      ])
  }
}

/// What the daemon says of itself.
struct DaemonReading {
  var status: StatusResource
  var targets: [TargetResource]
  var stores: [StoreResource]
  var portals: [PortalResource]
  /// About media, by the configuration file; or why they could not be compared with it.
  var remarks: Result<[MediumRemark], AdministrationError>

  init(
    status: StatusResource, targets: [TargetResource] = [], stores: [StoreResource] = [],
    portals: [PortalResource] = [],
    remarks: Result<[MediumRemark], AdministrationError> = .success([])
  ) {
    self.status = status
    self.targets = targets
    self.stores = stores
    self.portals = portals
    self.remarks = remarks
  }

  init(_ daemon: any Daemon) async throws(AdministrationError) {
    self.init(
      status: try await daemon.status(), targets: try await daemon.targets(named: nil),
      stores: try await daemon.stores(named: nil), portals: try await daemon.portals())
    guard status.configurationFile != nil else { return }
    do throws(AdministrationError) {
      remarks = .success(try await daemon.difference().remarks ?? [])
    } catch {
      remarks = .failure(error)
    }
  }
}
