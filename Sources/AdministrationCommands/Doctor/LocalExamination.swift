internal import AdministrationModel
internal import TargetConfig

/// What can be seen on this machine without asking the daemon.
struct LocalExamination {
  private let machine: any Machine
  /// nil: it does not run, or cannot be asked.
  private let status: StatusResource?
  private let isRunning: Bool
  /// The configuration file.
  let file: String
  private let loaded: Result<LoadedConfiguration, ConfigurationError>

  private static let standardFile = "/etc/swift-tgtd/targets.json"

  init(
    machine: any Machine, configurationFile: String?, status: StatusResource?, isRunning: Bool
  ) {
    self.machine = machine
    self.isRunning = isRunning
    self.status = status
    let file = configurationFile ?? status?.configurationFile ?? Self.standardFile
    self.file = file
    loaded = Result { () throws(ConfigurationError) in try ConfigurationLoader.load(file) }
  }

  var all: [Examination] {
    [configurationFile, stateDirectory, engine, ports, limits, clock].compactMap { $0 }
  }

  private var settings: TargetConfiguration {
    (try? loaded.get().configuration) ?? TargetConfiguration()
  }

  // MARK: Files

  private var configurationFile: Examination? {
    let subject = "configuration \(file)"
    switch loaded {
    case .success(let loaded):
      return Examination(
        subject,
        loaded.warnings.filter { !isToldByDaemon($0) }.map {
          .advice(
            $0.description, why: "the file is valid, but this may not be what was meant",
            remedy: "mend it if so, then: swift-tgtadm config reload")
        })
    case .failure(let error):
      // A daemon that runs without a file needs none.
      if status != nil, status?.configurationFile == nil { return nil }
      if let status, status.configurationFile == file {
        if status.configurationFileState == .missing {
          return Examination(subject, [Self.lost(file)])
        }
        // The daemon may read it, and this process may not.
        if status.configurationFileState == .unchanged, machine.text(of: file) == nil {
          return Examination(subject)
        }
      }
      // Nothing to serve yet.
      if status == nil, machine.facts(of: file) == nil {
        return Examination(
          subject,
          [
            .wrong(
              error.problems.first?.description ?? file,
              why: "swift-tgtd does not start without it",
              remedy: "write it after targets.example.json, or: swift-tgtadm config import; or say "
                + "where it is with --config")
          ])
      }
      return Examination(
        subject,
        error.problems.map {
          .wrong(
            $0.description, why: "swift-tgtd does not start with it, and does not reload it",
            remedy: "mend it, then: swift-tgtadm config check \(FilePath.shellQuoted(file))")
        })
    }
  }

  private static func lost(_ file: String) -> Diagnosis {
    .wrong(
      "the configuration file \(file) is gone",
      why: "what runs goes on, and is lost at the next start",
      remedy: "put it back, or: swift-tgtadm config save --force writes what runs")
  }

  /// A running daemon's targets and stores are looked at themselves, and tell it with the name.
  private func isToldByDaemon(_ warning: ConfigurationProblem) -> Bool {
    status != nil && warning.sentence.hasPrefix("nobody can log in")
  }

  private var stateDirectory: Examination? {
    // The daemon knows which one it is; a file that cannot be read does not say.
    let used = status.flatMap { $0.stateDirectory.isEmpty ? nil : $0.stateDirectory }
    if used == nil, case .failure = loaded, machine.facts(of: file) != nil { return nil }
    let path = used ?? settings.stateDirectory
    let quoted = FilePath.shellQuoted(path)
    let why = "identities, reservations and marks are kept there through a restart"
    let subject = "state directory \(path)"
    guard let facts = machine.facts(of: path) else {
      // Under systemd it is made at the first start.
      guard status != nil else { return Examination(subject + " (made at the first start)") }
      return Examination(
        subject,
        [
          .advice(
            "the state directory \(path) is not there, or may not be looked at", why: why,
            remedy: "as root: ls -ld \(quoted)")
        ])
    }
    guard facts.isDirectory else {
      return Examination(
        subject,
        [.wrong("\(path) is no directory", why: why, remedy: "move it: mv \(quoted){,.old}")])
    }
    guard facts.mode & 0o022 == 0 else {
      return Examination(
        subject,
        [
          .wrong(
            "the state directory \(path) can be written by others",
            why: "who writes there can give a disk another identity or another reservation",
            remedy: "chmod 700 \(quoted)")
        ])
    }
    return Examination(subject)
  }

  // MARK: Kernel

  private var engine: Examination {
    let refusal = machine.uringRefusal
    let subject = "io_uring"
    if status?.engine == "uring" || settings.engine == .aio { return Examination(subject) }
    if refusal == 0 {
      guard let status, status.engine == "aio" else { return Examination(subject) }
      return Examination(
        subject,
        [
          .advice(
            "the daemon does without io_uring, though this process gets it",
            why: "Linux AIO costs more CPU time for each command",
            remedy: "journalctl -u swift-tgtd tells why; then: systemctl restart swift-tgtd")
        ])
    }
    let (reason, remedy) = refusalWords(refusal)
    let isRequired = settings.engine == .uring
    let finding = Diagnosis(
      level: isRequired ? .wrong : .advice, what: "io_uring is refused: \(reason)",
      why: isRequired
        ? "the configuration demands it: swift-tgtd does not start"
        : "swift-tgtd uses Linux AIO then, which costs more CPU time for each command",
      remedy: remedy)
    return Examination(subject, [finding])
  }

  /// errno of io_uring_setup(2): 1 EPERM, 12 ENOMEM, 38 ENOSYS.
  private func refusalWords(_ code: Int32) -> (String, remedy: String) {
    let setting = machine.text(of: "/proc/sys/kernel/io_uring_disabled")?
      .split(separator: "\n").first
    switch code {
    case 1 where setting.map { $0 != "0" } == true:
      return (
        "kernel.io_uring_disabled is \(setting ?? "")", "sysctl -w kernel.io_uring_disabled=0"
      )
    case 1:
      return (
        "a sandbox forbids it",
        "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp "
          + "profile"
      )
    case 12: return ("too little memory may be locked", "LimitMEMLOCK=infinity in the unit")
    case 38: return ("this kernel has none", "use Linux 5.15 or later")
    default: return ("error \(code)", "dmesg | tail")
    }
  }

  /// While the daemon runs its own answer counts.
  private var ports: Examination? {
    guard !isRunning else { return nil }
    let ports = Set(settings.portals.map(\.endpoint.port)).sorted()
    let findings = ports.compactMap { port in
      machine.listener(port: port).map { taken(port, by: $0) }
    }
    let list = ports.map { "\($0)" }.joined(separator: ", ")
    return Examination("port \(list) is free", findings)
  }

  private func taken(_ port: UInt16, by listener: Listener) -> Diagnosis {
    if listener.name == "swift-tgtd" {
      return .wrong(
        "swift-tgtd runs (process \(listener.process ?? 0)), and does not answer here",
        why: "its socket is another one, or it does not get to answer",
        remedy:
          "give --socket as \"admin\" of its configuration has it; or journalctl -u swift-tgtd")
    }
    return .wrong(
      "port \(port) is taken by \(listener.words)",
      why: "swift-tgtd cannot listen there, and does not start",
      remedy: "end the other target server (systemctl disable --now tgt target), or give "
        + "\"portals\" another port")
  }

  private var limits: Examination? {
    guard let status, let text = machine.text(of: "/proc/\(status.processID)/limits") else {
      return nil
    }
    var findings: [Diagnosis] = []
    let needed = UInt64(settings.limits.connections + settings.stores.count + 256)
    if let files = ProcText.softLimit("Max open files", in: text), files < needed {
      findings.append(
        .wrong(
          "the daemon may open \(files) files, and needs up to \(needed)",
          why: "each connection and each store is one: logins are refused when they run out",
          remedy: "LimitNOFILE=1048576 in the unit, then restart"))
    }
    let locked = ProcText.softLimit("Max locked memory", in: text)
    if let locked, locked < status.bufferBytes {
      let size = Quantity.size(locked)
      findings.append(
        .advice(
          "the daemon may lock \(size) of memory, and has \(Quantity.size(status.bufferBytes)) "
            + "of buffers",
          why: "buffers that cannot be registered with the kernel cost CPU time for each command",
          remedy: "LimitMEMLOCK=infinity in the unit, then restart"))
    }
    return Examination("limits of the daemon", findings)
  }

  private var clock: Examination {
    // 2026: before it there was no swift-tgtd.
    guard machine.secondsSinceEpoch > 1_767_225_600 else {
      return Examination(
        "clock",
        [
          .wrong(
            "the clock is in the past",
            why: "times of logs, sessions and reservations mean nothing",
            remedy: "timedatectl set-ntp true")
        ])
    }
    guard machine.isClockSynchronized == false else { return Examination("clock") }
    return Examination(
      "clock",
      [
        .advice(
          "the clock is not synchronised",
          why: "logs of nodes and of this machine cannot be compared when a fence is examined",
          remedy: "timedatectl set-ntp true (in a virtual machine or container: its host's)")
      ])
  }
}
