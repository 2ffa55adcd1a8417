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
                rows.append([
                    report.run.text, report.state, "\(report.attempts.count)",
                    report.cost.map(Dollars.text) ?? "", report.volume,
                ])
            case .failure(let failure):
                problems.append(failure.problem)
                rows.append([run.id.text, "damaged", "?", "", run.source.place])
            }
        }
        world.console.show(
            json
                ? try JSON.text(reports, pretty: true) + "\n"
                : Self.table(rows).text)
        for words in runs.compactMap({ $0.pod?.storageWords }) { world.console.note("launch: \(words)") }
        for problem in problems { world.console.complain(problem) }
        if !problems.isEmpty { throw ExitCode(Exit.unavailable.rawValue) }
    }

    /// The column of costs is left out if nothing costs anything.
    private static func table(_ rows: [[String]]) -> Table {
        let isFree = rows.allSatisfy { $0[3].isEmpty }
        let shown = [["RUN", "STATE", "ATTEMPTS", "COST", "VOLUME"]] + rows
        let columns = shown.map { row in isFree ? row.prefix(3) + row.suffix(1) : row[...] }.map(Array.init)
        return Table(columns[0], Array(columns.dropFirst()))
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
