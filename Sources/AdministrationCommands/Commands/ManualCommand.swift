internal import ArgumentParser

/// Writes swift-tgtadm(8). For who packages the program, so the help does not list it.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Writes the manual page.",
    discussion: """
      EXAMPLES
        swift-tgtadm manual | gzip > /usr/share/man/man8/swift-tgtadm.8.gz
      """, shouldDisplay: false)

  func run() throws {
    guard let text = ManualPage.text(dump: SwiftTgtadm._dumpHelp()) else {
      throw Refusal(.software, "the help cannot be read")
    }
    Invocation.current.console.write(text)
  }
}
