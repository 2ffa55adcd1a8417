import ArgumentParser
import Foundation
import HTTPClient
import Shared
import Testing

@testable import Launcher

/// A world of a test's own: a temporary home, recorded output, pods that the test makes.
///
/// Whatever is touched and was not prepared fails the test. Suites hold it in a property: the home goes with it.
final class TestWorld: Sendable {
    let home = NSTemporaryDirectory() + "launch-\(UUID().uuidString)"
    let provider = FakeProvider()
    let recording = RecordingConsole()
    let world: World

    init(transport: any HTTPTransport = UnpreparedTransport()) throws {
        try File.makeFolders(home)
        world = World(
            environment: ["HOME": home], home: home, provider: provider, console: recording.console,
            transport: transport)
    }

    deinit { try? File.removeTree(home) }

    /// What went to standard output and to standard error.
    var output: String { recording.bytes.text }
    var errors: String { recording.errors }

    /// A run on the default volume.
    func run(_ name: String = "demo") throws -> RunFixture { try RunFixture(name, on: world.volume) }

    func view(_ run: RunFixture) async throws -> RunView { try await Runs(world: world).find(run.id.text) }

    /// A project with this config; the config's path.
    func project(_ yaml: String) throws -> String {
        try File.makeFolders("\(home)/project")
        try File.write(Array(yaml.utf8), over: "\(home)/project/config.yaml")
        return "\(home)/project/config.yaml"
    }

    func config(_ yaml: String) throws -> Config {
        try Config.load(path: try project(yaml), environment: world.environment)
    }

    /// Runs a command line in this process as `LauncherCommand.run()` does; the exit code.
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
