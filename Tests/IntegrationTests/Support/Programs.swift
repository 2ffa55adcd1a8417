import Glibc
import Shared

/// The paths of the programs under test: those in `POD_AGENT` and `LAUNCH`, else those that `make build` made.
enum Programs {
    static let agent = program("POD_AGENT", "pod-agent")
    static let launch = isBlind ? bed("blind-launch.sh") : seeingLaunch
    /// The pod-agent that `launch` starts.
    static let podAgent = isBlind ? bed("seeing-agent.sh") : agent
    private static let seeingLaunch = program("LAUNCH", "launch")

    /// With `LAUNCH_SOURCE=agent`, `launch` reads runs through agents. Then it cannot see any volume itself.
    static let isBlind = ProcessEnvironment.all["LAUNCH_SOURCE"] == "agent"

    /// The variables with which a program starts `launch`, and `launch` its pods.
    static var variables: [String: String] {
        guard isBlind else { return ["POD_AGENT": podAgent] }
        return [
            "POD_AGENT": podAgent, "LAUNCH_SOURCE": "agent", "BLIND_LAUNCH": seeingLaunch, "SEEING_AGENT": agent,
            "SEEING_NAMESPACE": "/proc/\(getpid())/ns/mnt",
        ]
    }

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
