import ArgumentParser
internal import HTTPClient
internal import Shared

@main
struct Launcher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Train on a pod as if it were a local command.",
        discussion: Exit.table,
        version: Version.current,
        subcommands: [Run.self, Attach.self, Logs.self, Status.self, Checkpoints.self, Stop.self, List.self])
}

/// A command that touches the outside through its `World` alone.
protocol LauncherCommand: AsyncParsableCommand {
    func run(in world: World) async throws
}

extension LauncherCommand {
    func run() async throws {
        var console = Console.standard
        do {
            let world = try World.live()
            console = world.console
            try await run(in: world)
        } catch let exit as ExitCode {
            throw exit
        } catch {
            let failure = Failure(wrapping: error)
            console.complain(failure.problem)
            throw ExitCode(failure.exit.rawValue)
        }
    }
}

extension Failure {
    /// Any error as the problem that it is for a person.
    init(wrapping error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ConfigError: self.init(.config, error.problem)
        case let problem as Problem: self.init(.unavailable, problem)
        case let error as APIError where error.code == .unauthorized:
            self.init(.refused, error.message, hint: error.hint)
        case let error as APIError: self.init(.unavailable, error.message, hint: error.hint)
        case let error as HTTPError: self.init(.unavailable, error.message, hint: error.hint)
        default: self.init(.unavailable, "\(error)")
        }
    }
}
