internal import FoundationEssentials
internal import Glibc
internal import TgtCommands

@main
struct Main {
  static func main() async {
    exit(
      await TgtAdmin.main(
        Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment))
  }
}
