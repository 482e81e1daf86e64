internal import AdministrationCommands
internal import FoundationEssentials
internal import Glibc

@main
struct Main {
  static func main() async {
    exit(
      await Program.main(
        Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment))
  }
}
