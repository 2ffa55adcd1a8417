import ArgumentParser
internal import Shared

struct Logs: LauncherCommand {
    static let configuration = CommandConfiguration(abstract: "Print a run's log, over all its attempts.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        let log = try LogStream(of: run.folder)
        var offset = log.begin
        if offset > 0 { world.console.note("launch: the first \(offset) bytes are not kept any more") }
        while case let bytes = try log.read(at: offset, limit: 1 << 20), !bytes.isEmpty {
            world.console.output(bytes)
            offset += bytes.count
        }
    }
}
