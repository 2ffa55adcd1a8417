import ArgumentParser
internal import Shared

struct Doctor: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the account and the config of a rented run.",
        discussion: "Buys and changes nothing. The exit code is 69 if a run would fail.")

    @Argument(help: "Path of the config.", completion: .file(extensions: ["yaml", "yml"])) var config: String?
    @Flag(help: "Print JSON.") var json = false

    func run(in world: World) async throws {
        let path = config ?? (File.status("config.yaml") == nil ? nil : "config.yaml")
        let config = try path.map { path throws(ConfigError) in
            try Config.load(path: path, environment: world.environment)
        }
        let findings = try await world.providers.market().examine(config)
        if json {
            world.console.show(try JSON.text(findings, pretty: true) + "\n")
        } else {
            for finding in findings {
                world.console.print("\(finding.verdict.rawValue): \(finding.subject): \(finding.text)")
                if let fix = finding.fix { world.console.print("  fix: \(fix)") }
            }
        }
        if findings.contains(where: { $0.verdict == .bad }) { throw ExitCode(Exit.unavailable.rawValue) }
    }
}
