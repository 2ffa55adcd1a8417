import ArgumentParser
internal import Shared

struct List: LauncherCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the runs.")

    @Flag(help: "Print JSON.") var json = false

    func run(in world: World) async throws {
        let (runs, unasked) = await Runs(world: world).known()
        var reports: [RunReport] = []
        var rows: [[String]] = []
        var problems = unasked
        for (run, result) in zip(runs, await results(of: runs, in: world)) {
            switch result {
            case .success(let report):
                reports.append(report)
                rows.append([report.run.text, report.state, "\(report.attempts.count)", report.volume])
            case .failure(let failure):
                problems.append(failure.problem)
                rows.append([run.id.text, "damaged", "?", run.source.place])
            }
        }
        world.console.show(
            json
                ? try JSON.text(reports, pretty: true) + "\n"
                : Table(["RUN", "STATE", "ATTEMPTS", "VOLUME"], rows).text)
        for problem in problems { world.console.complain(problem) }
        if !problems.isEmpty { throw ExitCode(Exit.unavailable.rawValue) }
    }

    /// All at once: a run whose agent cannot be seen takes seconds.
    private func results(of runs: [KnownRun], in world: World) async -> [Result<RunReport, Failure>] {
        await withTaskGroup(of: (Int, Result<RunReport, Failure>).self) { group in
            for (index, run) in runs.enumerated() {
                group.addTask {
                    do {
                        let view = try await Runs(world: world).view(run, with: RunReport.parts)
                        return (index, .success(try RunReport(of: view)))
                    } catch {
                        return (index, .failure(Failure(wrapping: error)))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
