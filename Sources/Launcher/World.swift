internal import HTTPClient
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// All that a command touches outside itself.
struct World: Sendable {
    /// Environment variables.
    var environment: [String: String]
    /// `$LAUNCH_HOME`: pods and the volume of `local`, and the key that tokens come from.
    var home: String
    var provider: any Provider
    var console: Console
    var transport: any HTTPTransport
    var now: @Sendable () -> Date

    static func live() throws(Problem) -> World {
        let environment = ProcessEnvironment.all
        let home = try LaunchHome.path(environment)
        let provider = LocalProvider(home: home, agent: try agent(environment), environment: environment)
        return World(
            environment: environment, home: home, provider: provider, console: .standard,
            transport: CurlTransport(userAgent: "launch/\(Version.current)"), now: { Date() })
    }

    /// The default volume of `local`.
    var volume: Volume { Volume(root: "\(home)/volume") }

    /// `$POD_AGENT`, or the `pod-agent` beside this program.
    private static func agent(_ environment: [String: String]) throws(Problem) -> String {
        if let agent = environment["POD_AGENT"], !agent.isEmpty { return try agent.madeAbsolute() }
        #if os(Linux)
        return try File.readLink("/proc/self/exe").parentFolder + "/pod-agent"
        #else
        return "pod-agent"
        #endif
    }
}
