import ArgumentParser
internal import Shared

/// A command that reaches everything outside the program through its `World`.
protocol LauncherCommand: AsyncParsableCommand {
    func run(in world: World) async throws
}

extension LauncherCommand {
    /// Runs the command, and lets the providers end what they started for it.
    private func run(closing world: World) async throws {
        let result: Result<Void, any Error>
        do { result = .success(try await run(in: world)) } catch { result = .failure(error) }
        for provider in world.providers.all { await provider.endReaders() }
        try result.get()
    }

    func run() async throws {
        var console = Console.standard
        do {
            let world = try World.live()
            console = world.console
            try await run(closing: world)
        } catch let exit as ExitCode {
            throw exit
        } catch {
            let failure = Failure(wrapping: error)
            console.complain(failure.problem)
            throw ExitCode(failure.exit.rawValue)
        }
    }
}
