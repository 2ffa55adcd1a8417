import ArgumentParser
internal import Shared

struct List: LauncherCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the runs.")

    @Flag(help: "As JSON.") var json = false

    func run(in world: World) async throws {
        var reports: [RunReport] = []
        var rows: [[String]] = []
        var problems: [Problem] = []
        for run in try await Runs(world: world).known() {
            do {
                let report = try RunReport(of: try run.view())
                reports.append(report)
                rows.append([report.run.text, report.state, "\(report.attempts.count)", report.volume])
            } catch {
                // The others are as well as before.
                problems.append(Failure(wrapping: error).problem)
                rows.append([run.id.text, "damaged", "?", run.volume.root])
            }
        }
        world.console.output(
            json
                ? try JSON.encode(reports, pretty: true) + [UInt8(ascii: "\n")]
                : Array(Table(["RUN", "STATE", "ATTEMPTS", "VOLUME"], rows).text.utf8))
        for problem in problems { world.console.complain(problem) }
        if !problems.isEmpty { throw ExitCode(Exit.unavailable.rawValue) }
    }
}
