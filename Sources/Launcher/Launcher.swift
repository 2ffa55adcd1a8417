import ArgumentParser
internal import Shared

@main
struct Launcher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Train on a pod as if it were a local command.",
        discussion: Exit.table,
        version: Version.current,
        subcommands: [
            Run.self, Attach.self, Logs.self, Status.self, Checkpoints.self, Stop.self, Recover.self, List.self,
        ])

    static func main() async {
        StandardDescriptors.open()
        await main(nil)
    }
}
