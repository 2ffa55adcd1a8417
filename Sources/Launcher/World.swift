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
        #if os(Linux)
        let providers = Providers(
            all: [LocalProvider(home: home, agent: try agent(environment), environment: environment)])
        #else
        let providers = Providers(all: [])
        #endif
        return World(
            environment: environment, home: home, providers: providers, console: .standard,
            transport: CurlTransport(userAgent: "launch/\(Version.current)"), now: { Date() })
    }

    #if os(Linux)
    /// `$POD_AGENT`, or the `pod-agent` beside this program.
    private static func agent(_ environment: [String: String]) throws(Problem) -> String {
        if let agent = environment["POD_AGENT"], !agent.isEmpty { return try agent.madeAbsolute() }
        return try File.readLink("/proc/self/exe").parentFolder + "/pod-agent"
    }
    #endif
}
