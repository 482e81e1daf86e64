internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// The program `tgt-setup-lun`: one LUN, with its target if that is missing.
public enum TgtSetupLUN {
  public static func main(_ arguments: [String], environment: [String: String]) async -> Int32 {
    let surroundings = Surroundings(terminal: SystemTerminal(), environment: environment)
    return await run(arguments, in: surroundings)
  }

  static func run(_ arguments: [String], in surroundings: Surroundings) async -> Int32 {
    do throws(Failure) {
      let setup = LUNSetup(
        options: try LUNSetup.Options(arguments), surroundings: surroundings)
      try await setup.perform()
      return 0
    } catch {
      switch error {
      case .usage: surroundings.terminal.write(usage)
      case .words(let words): surroundings.terminal.write(words)
      case .told: break
      }
      return 1
    }
  }

  /// The program ends with 1.
  enum Failure: Error, Equatable {
    case usage
    case words(String)
    /// tgtadm has said why.
    case told
  }

  static let usage = """
    usage:
    \ttgt-setup-lun -n tgt_name -d dev -b bs_name -B block_size -t transport -C control_port \
    [initiator_IP1 initiator_IP2 ...]
    defaults:
    \tbacking store: rdwr
    \ttransport: iscsi
    \tinitiator: ALL
    \tcontrol port: -
    examples:
    \ttgt-setup-lun -n tgt-1 -d /dev/sdb1 192.168.1.2
    \ttgt-setup-lun -n tgt-2 -b null
    \ttgt-setup-lun -n tgt-3 -d ~/disk3.bin -b rdwr 192.168.1.2 192.168.1.3

    """
}

struct LUNSetup {
  typealias Failure = TgtSetupLUN.Failure

  struct Options: Equatable {
    var name: String?
    var device: String?
    var type: String?
    var blockSize: String?
    var transport = "iscsi"
    var controlPort: String?
    var initiators: [String] = []

    /// As getopts(1p) reads them: options stand before what is none.
    init(_ arguments: [String]) throws(Failure) {
      guard !arguments.isEmpty else { throw .usage }
      var rest = arguments[...]
      while let argument = rest.first, argument.hasPrefix("-"), argument != "-" {
        rest = rest.dropFirst()
        if argument == "--" { break }
        let letter = argument.dropFirst().prefix(1)
        let attached = argument.dropFirst(2)
        guard letter != "h", let value = attached.isEmpty ? rest.popFirst() : String(attached)
        else { throw .usage }
        try take(String(letter), value)
      }
      initiators = Array(rest)
    }

    private mutating func take(_ option: String, _ value: String) throws(Failure) {
      switch option {
      case "n": name = value
      case "d": device = value
      case "b": type = value
      case "B": blockSize = value
      case "t": transport = value
      case "C": controlPort = value
      default: throw .usage
      }
    }
  }

  let options: Options
  let surroundings: Surroundings

  func perform() async throws(Failure) {
    try verify()
    guard let given = options.name else { throw .words("Error: target name is mandatory\n") }
    let state = try await state()
    if let port = options.controlPort { write("Control port: \(port)") }
    write("Using transport: \(options.transport)")
    let name = given.hasPrefix("iqn") ? given : "iqn.2001-04.com.\(host)-\(given)"
    let target = state.targets.first { $0.name == name.lowercased() }
    let tid: Int
    if let target {
      write("Error: target named \(name) already exists")
      surroundings.terminal.complain("Add a new lun to the existing target? (yes/NO): ")
      guard surroundings.terminal.readLine() == "yes" else { throw .told }
      tid = state.tid(target.name)
    } else {
      tid = try await newTarget(name, state)
    }
    do throws(Failure) {
      try await fill(tid, target)
    } catch {
      if target == nil { await takeBack(tid) }
      throw error
    }
  }

  private func verify() throws(Failure) {
    guard let device = options.device else {
      guard options.type == "null" else { throw .words("Error: a device is mandatory\n") }
      return
    }
    guard options.type != "null" else { return }
    let kind = surroundings.files.kind(of: device)
    guard kind == .regular || kind == .blockDevice else {
      throw .words("Error: \(device.printable) is not a device\n")
    }
  }

  private func state() async throws(Failure) -> TgtState {
    let daemon = surroundings.daemon(controlPort: port)
    do throws(AdministrationError) {
      return try await TgtState.read(daemon)
    } catch {
      throw .words("tgtd is not running\nExiting...\n")
    }
  }

  private var port: Int { options.controlPort.flatMap { Int(numeral: $0) } ?? 0 }

  private var host: String {
    surroundings.files.hostName.split(separator: ".").first.map(String.init) ?? "localhost"
  }

  private func write(_ line: String) { surroundings.terminal.write(line.printable + "\n") }

  // MARK: Commands

  private func command(_ words: String, _ more: [String] = []) async -> Bool {
    let arguments =
      (options.controlPort.map { ["-C", $0] } ?? []) + ["--lld", options.transport]
      + words.split(separator: " ").map(String.init) + more
    return await Tgtadm.run(arguments, in: surroundings) == 0
  }

  private func newTarget(_ name: String, _ state: TgtState) async throws(Failure) -> Int {
    let taken = Set(state.tids.values)
    let tid = (1...).first { !taken.contains($0) } ?? 1
    write("Creating new target (name=\(name), tid=\(tid))")
    guard await command("--op new --mode target --tid \(tid)", ["-T", name]) else {
      throw .words("Error: failed to create target (name=\(name.printable), tid=\(tid))\n")
    }
    return tid
  }

  private func takeBack(_ tid: Int) async {
    write("Deleting new target, tid=\(tid)")
    if await !command("--op delete --mode target --tid \(tid)") {
      write("Error: failed to delete target, tid=\(tid)")
    }
  }

  private func fill(_ tid: Int, _ target: TargetResource?) async throws(Failure) {
    let taken = Set(target?.luns.map(\.lun) ?? [])
    guard let lun = (1...TargetConfiguration.LUN.numberMax).first(where: { !taken.contains($0) })
    else { throw .words("Error: no LUN of the target is free (tid=\(tid))\n") }
    let device = options.device ?? "null"
    write("Adding a logical unit (\(device)) to target, tid=\(tid)")
    var more = ["-b", device]
    if let type = options.type {
      write("Setting backing store type: \(type)")
      more += ["-E", type]
    }
    if let size = options.blockSize { more += ["--blocksize", size] }
    guard await command("--op new --mode logicalunit --tid \(tid) --lun \(lun)", more) else {
      throw .words(
        "Error: failed to add a logical unit (\(device.printable)) to target, tid=\(tid)\n")
    }
    try await admit(tid, target)
  }

  private func admit(_ tid: Int, _ target: TargetResource?) async throws(Failure) {
    let present = target.map { AccessRule.listed($0).map(\.text) } ?? []
    let bind = "--op bind --mode target --tid \(tid) -I"
    guard options.initiators.isEmpty else {
      write("Accepting connections from \(options.initiators.joined(separator: " "))")
      for initiator in options.initiators where !present.contains(initiator) {
        if await !command(bind, [initiator]) {
          write("Error: could not assign initiator \(initiator) to the target")
        }
      }
      return
    }
    guard !present.contains("ALL") else { return }
    write("Accepting connections from all initiators")
    guard await command(bind, ["ALL"]) else {
      throw .words("Error: failed to set access for all initiators\n")
    }
  }
}
