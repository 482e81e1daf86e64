internal import AdministrationModel
internal import ArgumentParser
internal import TargetDaemon

@main
struct SwiftTgtd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swift-tgtd",
    abstract: "An iSCSI target server: presents files and block devices as shared disks.",
    usage: """
      swift-tgtd [--config <file>]
      swift-tgtd --check [--config <file>]
      """,
    discussion: """
      Reads one JSON file and serves what it says, in the foreground, until a \
      signal ends it. The log goes to standard error; under systemd use the unit \
      swift-tgtd.service.

      EXAMPLES
        swift-tgtd --check --config targets.json   show what a file means
        swift-tgtd --config targets.json           serve it
        systemctl enable --now swift-tgtd          serve the default file at boot

        The smallest file that serves a disk (targets.example.json has every key):
          {"stores":  {"disk": {"file": "/srv/iscsi/disk.img", "size": "10GiB"}},
           "targets": [{"name": "iqn.2026-11.com.example:disk",
                        "luns": [{"lun": 1, "store": "disk"}],
                        "acl":  [{"initiator": "iqn.2026-11.com.example:node1"}]}]}

      SIGNALS
        SIGTERM, SIGINT   stop in order: ask initiators to log out, flush stores,
                          end within 10 s; the second one ends at once
        SIGHUP            what runs becomes what the file says; the log tells what
                          became of it, and what wants a restart

      EXIT CODES
        0   stopped in order; with --check: the file is valid
        1   a store did not answer, or a second signal came
        64  wrong arguments
        69  an address to listen on is taken, or is not one of this machine; or
            the socket, group, directory or listener of the administration
            interface cannot be had
        71  the kernel refuses something (an I/O engine, a thread)
        74  the state directory cannot be used, or a file in it is damaged
        75  another swift-tgtd uses the state directory
        78  the configuration is wrong
      With --check 69 and 78 mean the same: a start would end so. A medium that is
      missing is a warning there: a start serves all others.
      """,
    version: "swift-tgtd \(Version.text)")

  @Option(name: .shortAndLong, help: ArgumentHelp("The configuration.", valueName: "file"))
  var config = "/etc/swift-tgtd/targets.json"

  @Flag(help: "Validate the configuration, print what it means, and exit.")
  var check = false

  mutating func run() throws {
    if check { throw ExitCode(DaemonProcess.check(configuration: config).rawValue) }
    throw ExitCode(DaemonProcess.run(configuration: config).rawValue)
  }
}
