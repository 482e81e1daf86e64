internal import AdministrationModel

/// The program `tgtadm`: tgt's command line, served by the daemon's API.
///
/// Changes hold while the daemon runs and are not written to its file, as with tgt. What it prints
/// and what it ends with are tgt's (1.0.85), also where a request is refused; there a second line
/// may say why. What tgt takes and here has no meaning is told on standard error and passes.
public enum Tgtadm {
  public static func main(_ arguments: [String], environment: [String: String]) async -> Int32 {
    let surroundings = Surroundings(terminal: SystemTerminal(), environment: environment)
    return await run(arguments, in: surroundings)
  }

  static func run(_ arguments: [String], in surroundings: Surroundings) async -> Int32 {
    do throws(TgtFailure) {
      let request = try TgtadmRequest(arguments)
      switch request.purpose {
      case .help: surroundings.terminal.write(help)
      case .version: surroundings.terminal.write(version + "\n")
      case .operate(let operation, let mode):
        let call = TgtadmCall(
          request: request, daemon: surroundings.daemon(controlPort: request.controlPort),
          terminal: surroundings.terminal, files: surroundings.files)
        try await call.perform(operation, mode)
      }
      return 0
    } catch {
      surroundings.terminal.complain(error.text)
      return error.code
    }
  }

  /// That of the tgt whose ways these are: programs ask for it to know what they may use.
  static let version = "1.0.85"

  static let help = """
    tgtadm for swift-tgtd, with the ways of tgt \(version)

    Usage: tgtadm [OPTION]...
      --lld iscsi --mode target --op new --tid ID --targetname NAME
      --lld iscsi --mode target --op delete [--force] --tid ID
      --lld iscsi --mode target --op show|stat [--tid ID]
      --lld iscsi --mode target --op update --tid ID --name KEY --value VALUE
      --lld iscsi --mode target --op update --tid ID --name state --value ready|offline
      --lld iscsi --mode target --op bind|unbind --tid ID
          --initiator-address ADDRESS|NETWORK|ALL | --initiator-name NAME
      --lld iscsi --mode logicalunit --op new --tid ID --lun LUN --backing-store PATH
          [--bstype rdwr|aio|null] [--bsoflags sync|direct|sync:direct] [--blocksize BYTES]
      --lld iscsi --mode logicalunit --op delete|stat --tid ID --lun LUN
      --lld iscsi --mode logicalunit --op update --tid ID --lun LUN --params KEY=VALUE,...
      --lld iscsi --mode account --op new --user NAME --password SECRET
      --lld iscsi --mode account --op delete --user NAME
      --lld iscsi --mode account --op show
      --lld iscsi --mode account --op bind|unbind [--tid ID] --user NAME [--outgoing]
      --lld iscsi --mode connection --op show --tid ID
      --lld iscsi --mode connection --op delete --tid ID --sid SID --cid CID
      --lld iscsi --mode portal --op show
      --lld iscsi --mode portal --op new|delete --param portal=ADDRESS[:PORT]
      --mode system --op show|stat
      --mode system --op update --name State --value ready|offline
      --mode lld --op show|start
      -C, --control-port N   the daemon whose socket ends in .N; 0: that of the standard socket
      -h, --help             this help
      -V, --version          the version of tgt whose ways these are

    The daemon's socket is /run/swift-tgtd/admin.sock, or what SWIFT_TGTD_SOCKET names. Changes
    hold until the daemon ends; "swift-tgtadm config save" writes targets, LUNs, access lists and
    bound accounts to its file. Numbers of targets (--tid) and accounts that are not bound are lost
    with the daemon all the same.

    """
}
