import ArgumentParser
internal import Glibc
internal import HTTPClient
internal import Shared

@main
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pod-agent",
        abstract: "Supervises a training in a pod: the entry point of the pod's container.",
        version: Version.current,
        subcommands: [InitCommand.self, ServeCommand.self, HealthCommand.self, VerifyCommand.self, FilesCommand.self],
        defaultSubcommand: InitCommand.self)
}

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Run the pod as its first process (the default).")

    func run() throws {
        StandardDescriptors.open()
        throw ExitCode(Init.run())
    }
}

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Supervise the run; started by init.", shouldDisplay: false)

    func run() throws {
        Serve.run()
    }
}

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask an agent whether it is ready: exit code 0 or 1.")

    @Argument(help: "The agent's address.") var address = "http://127.0.0.1:8000"

    func run() throws {
        Task {
            let agent = AgentClient(address: address, token: "", transport: CurlTransport())
            do {
                Glibc.exit(try await agent.health().ready ? EXIT_SUCCESS : EXIT_FAILURE)
            } catch {
                Console.complain(error)
                Glibc.exit(EXIT_FAILURE)
            }
        }
        while true { pause() }
    }
}
