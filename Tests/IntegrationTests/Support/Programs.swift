import Shared

/// The paths of the programs under test: those in `POD_AGENT` and `LAUNCH`, else those that `make build` made.
enum Programs {
    static let agent = program("POD_AGENT", "pod-agent")
    static let launch = program("LAUNCH", "launch")
    /// The top of this package.
    static let package = "\(#filePath)".parentFolder.parentFolder.parentFolder.parentFolder

    /// A program that sets up a test bed.
    static func bed(_ name: String) -> String { "\(package)/Tests/IntegrationTests/Beds/\(name)" }

    private static func program(_ variable: String, _ name: String) -> String {
        let path = ProcessEnvironment.all[variable] ?? "\(package)/dist/\(name)"
        guard File.isExecutable(path) else { fatalError("there is no \(name) at \"\(path)\": \"make build\" makes it") }
        return path
    }
}
