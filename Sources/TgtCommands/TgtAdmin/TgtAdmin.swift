internal import TargetConfig

/// The program `tgt-admin`: brings the daemon to a targets.conf by commands of tgtadm.
public enum TgtAdmin {
  public static func main(_ arguments: [String], environment: [String: String]) async -> Int32 {
    let surroundings = Surroundings(terminal: SystemTerminal(), environment: environment)
    return await run(arguments, in: surroundings)
  }

  static let standardConfiguration = "/etc/tgt/targets.conf"

  static func run(_ arguments: [String], in surroundings: Surroundings) async -> Int32 {
    let options = TgtAdminOptions(arguments)
    for complaint in options.complaints { surroundings.terminal.complain(complaint + "\n") }
    var run = TgtAdminRun(options: options, surroundings: surroundings)
    do throws(TgtAdminRun.End) {
      try await run.perform()
      return 0
    } catch {
      return error.code
    }
  }

  static let help = """
    Usage: tgt-admin [OPTION]...
    Brings swift-tgtd to what a targets.conf of tgt says.

      -e, --execute              make the targets of \(standardConfiguration) that
                                 are missing, remove those that do not stand there
          --delete WHICH         delete targets
          --offline WHICH        let nobody in to targets any more
          --ready WHICH          let initiators in to offline targets again
          --update WHICH         make targets anew as the file says: all of it, or
                                 nothing
      -s, --show                 show all targets
      -C, --control-port N       the daemon whose socket ends in .N
      -c, --conf FILE            another file
          --ignore-errors        go on when a command fails or a disk is missing
      -f, --force                also what is in use
      -p, --pretend              only print the commands
          --dump                 print the targets as a targets.conf, without passwords
      -v, --verbose              print the commands
      -h, --help                 this help

    WHICH is ALL, tid=N or the name of a target. Changes hold until the daemon ends.
    A disk that is missing or in use is left out by --execute, which then ends with 1.

    """
}
