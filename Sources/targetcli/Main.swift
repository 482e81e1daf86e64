internal import FoundationEssentials
internal import Glibc
internal import TargetcliCommands

@main
struct Main {
  static func main() async {
    exit(
      await Program.main(
        Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment))
  }
}
