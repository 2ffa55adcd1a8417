import ArgumentParser
internal import Shared

struct Status: LauncherCommand {
    static let configuration = CommandConfiguration(abstract: "Show the state of a run.")

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var rental: RentalOptions

    func run(in world: World) async throws {
        await rental.apply(to: world)
        let report = try RunReport(of: try await Runs(world: world).find(run, with: RunReport.parts))
        world.console.show(json ? try JSON.text(report, pretty: true) + "\n" : report.text)
    }
}
