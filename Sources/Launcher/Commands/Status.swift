import ArgumentParser
internal import Shared

struct Status: LauncherCommand {
    static let configuration = CommandConfiguration(abstract: "Show how a run is.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "As JSON.") var json = false

    func run(in world: World) async throws {
        let report = try RunReport(of: try await Runs(world: world).find(run))
        world.console.output(
            json ? try JSON.encode(report, pretty: true) + [UInt8(ascii: "\n")] : Array(report.text.utf8))
    }
}
