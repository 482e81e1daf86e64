internal import AdministrationModel
internal import ArgumentParser

struct SwiftTgtadm: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Administers swift-tgtd, the iSCSI target server, while it runs.",
    discussion: """
      Every change is made at once and written to the configuration file, comments kept; \
      what is in use is named and stays, unless --force. Every command that is listed \
      below has --help with examples and, for programs, --json.

      EXAMPLES
        Serve a disk to one node; what is missing is made:
          swift-tgtadm lun add --target iqn.2026-11.com.example:disk1 \\
            --file /srv/a.img --size 100GiB --initiator iqn.2026-11.com.example:node1
        See what there is:
          swift-tgtadm status
          swift-tgtadm session list
          swift-tgtadm stats --watch
        Apply a file that was edited by hand:
          swift-tgtadm config diff
          swift-tgtadm config reload
        Find out what is wrong:
          swift-tgtadm doctor

      The daemon is found through --socket, else the environment variable \
      SWIFT_TGTD_SOCKET, else /run/swift-tgtd/admin.sock. What only looks is given up \
      when the daemon has not answered within 30 s, a change after 300 s, as it may wait \
      for disks and for I/O in flight; the daemon may make it later all the same.

      Completion for a shell (bash, zsh or fish):
        swift-tgtadm --generate-completion-script bash \\
          > /usr/share/bash-completion/completions/swift-tgtadm
      The manual page:
        swift-tgtadm manual | man -l -

      EXIT CODES
        0   done
        1   no: the daemon refused and nothing was changed, or configurations
            differ, or something is wrong
        64  wrong arguments
        65  a file to import, or a secret, is not what it should be
        66  a file cannot be read
        69  the daemon cannot be reached, or gave no certain answer: then it may
            be done
        70  the daemon made a mistake
        73  a file cannot be written
        77  no permission to use the socket
        78  a configuration file is not valid
      Errors are on standard error; with --json those of the daemon are \
      {"error": {"code": …, "message": …}}.
      """,
    version: "swift-tgtadm \(Version.text)",
    subcommands: [
      TargetCommand.self, LUNCommand.self, StoreCommand.self, ACLCommand.self, CHAPCommand.self,
      PortalCommand.self, SessionCommand.self, ReservationCommand.self, StatsCommand.self,
      EventsCommand.self,
      ConfigCommand.self, StatusCommand.self, DoctorCommand.self, ManualCommand.self,
    ])

  @OptionGroup var global: GlobalOptions
}
