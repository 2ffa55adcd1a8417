import ArgumentParser
import Foundation
import HTTPClient
import Shared
import Testing

@testable import Launcher

/// The outside world of one test: a temporary home, recorded output, and pods that the test makes.
///
/// A call that the test did not prepare fails the test. A suite keeps the world in a property, as its release deletes
/// the home.
final class TestWorld: Sendable {
    let home = NSTemporaryDirectory() + "launch-\(UUID().uuidString)"
    let provider: FakeProvider
    let recording = RecordingConsole()
    let world: World

    init(transport: any HTTPTransport = UnpreparedTransport()) throws {
        try File.makeFolders(home)
        provider = FakeProvider(volume: Volume(root: "\(home)/volume"))
        world = World(
            environment: ["HOME": home], home: home, providers: Providers(all: [provider]), console: recording.console,
            transport: transport, now: { Date() }, heartbeatTimeout: .milliseconds(300))
    }

    deinit { try? File.removeTree(home) }

    /// The text on standard output and on standard error so far.
    var output: String { recording.bytes.text }
    var errors: String { recording.errors }

    /// Makes a run on the default volume.
    func run(_ name: String = "demo") throws -> RunFixture { try RunFixture(name, on: provider.volume) }

    /// Makes a follower of the run in its present state, from byte `offset` of its log.
    func follower(_ run: RunFixture, from offset: Int = 0) async throws -> Follower {
        Follower(try await view(run), from: offset, into: PlainOutput(console: world.console), world: world)
    }

    func view(_ run: RunFixture) async throws -> RunView { try await Runs(world: world).find(run.id.text) }

    /// Writes a project with this config. Returns the config's path.
    func project(_ yaml: String) throws -> String {
        try File.makeFolders("\(home)/project")
        try File.write(Array(yaml.utf8), over: "\(home)/project/config.yaml")
        return "\(home)/project/config.yaml"
    }

    func config(_ yaml: String) throws -> Config {
        try Config.load(path: try project(yaml), environment: world.environment)
    }

    /// Runs a command line in this process as `LauncherCommand.run()` does. Returns the exit code.
    func launch(_ arguments: String...) async throws -> Int32 {
        let command = try Launcher.parseAsRoot(arguments)
        let runnable = try #require(command as? any LauncherCommand, "\(command)")
        do {
            try await runnable.run(in: world)
            return 0
        } catch let exit as ExitCode {
            return exit.rawValue
        } catch {
            let failure = Failure(wrapping: error)
            world.console.complain(failure.problem)
            return failure.exit.rawValue
        }
    }
}
