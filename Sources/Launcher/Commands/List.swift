import ArgumentParser
internal import Shared

struct List: LauncherCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the runs.")

    @Flag(help: "As JSON.") var json = false

    func run(in world: World) async throws {
        let reports = try await Runs(world: world).all().map { try RunReport(of: $0) }
        if json { return world.console.output(try JSON.encode(reports, pretty: true) + [UInt8(ascii: "\n")]) }
        let rows = reports.map { [$0.run.text, $0.state, "\($0.attempts.count)", $0.volume] }
        world.console.output(Array(Table(["RUN", "STATE", "ATTEMPTS", "VOLUME"], rows).text.utf8))
    }
}
