internal import HTTPClient
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Everything outside the program that a command uses.
struct World: Sendable {
    /// Environment variables.
    var environment: [String: String]
    /// `$LAUNCH_HOME`: pods and the volume of `local`, and the key that tokens are made from.
    var home: String
    var providers: Providers
    var console: Console
    var transport: any HTTPTransport
    var now: @Sendable () -> Date
    /// Time for which the heartbeat of an agent that cannot be seen is watched.
    var heartbeatTimeout = HeartbeatWatch.usualTimeout

    static func live() throws(Problem) -> World {
        let environment = ProcessEnvironment.all
        let home = try LaunchHome.path(environment)
        let transport = CurlTransport(userAgent: "launch/\(Version.current)")
        let console = Console.standard
        var providers: [any Provider] = []
        #if os(Linux)
        providers.append(LocalProvider(home: home, agent: try agent(environment), environment: environment))
        #endif
        var rented = RunPodProvider(
            home: home, account: RunPodAccount(keys(environment), transport: transport), transport: transport,
            warn: { console.note("launch: \($0)") })
        if let timeout = environment["LAUNCH_STALL_TIMEOUT"].flatMap(Duration.init(written:)) {
            rented.stallTimeout = timeout
        }
        providers.append(rented)
        return World(
            environment: environment, home: home, providers: Providers(all: providers), console: console,
            transport: transport, now: { Date() })
    }

    /// The environment, with RunPod's variables of the working folder's `.env` and `.runpod.env` if it has none.
    private static func keys(_ environment: [String: String]) -> [String: String] {
        [".env", ".runpod.env"].reduce(environment) { known, name in
            let file = DotEnv(path: name, name: name, environment: environment)
            return known.merging(file.values.filter { $0.key.hasPrefix("RUNPOD_") }) { first, _ in first }
        }
    }

    #if os(Linux)
    /// `$POD_AGENT`, or the `pod-agent` beside this program.
    private static func agent(_ environment: [String: String]) throws(Problem) -> String {
        if let agent = environment["POD_AGENT"], !agent.isEmpty { return try agent.madeAbsolute() }
        return try File.readLink("/proc/self/exe").parentFolder + "/pod-agent"
    }
    #endif
}
