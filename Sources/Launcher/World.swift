internal import HTTPClient
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
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

    static func live() throws(Problem) -> World {
        let environment = ProcessEnvironment.all
        let home = try home(environment)
        let provider = LocalProvider(home: home, agent: try agent(environment), environment: environment)
        return World(
            environment: environment, home: home, provider: provider, console: .standard,
            transport: CurlTransport(userAgent: "launch/\(Version.current)"))
    }

    /// The default volume of `local`.
    var volume: Volume { Volume(root: "\(home)/volume") }

    static func home(_ environment: [String: String]) throws(Problem) -> String {
        if let home = environment["LAUNCH_HOME"], !home.isEmpty { return try absolute(home) }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/launch" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Problem(
                "neither LAUNCH_HOME nor HOME is set", hint: "set LAUNCH_HOME to a folder for pods and volumes")
        }
        return "\(home)/.local/state/launch"
    }

    /// `$POD_AGENT`, or the `pod-agent` beside this program.
    private static func agent(_ environment: [String: String]) throws(Problem) -> String {
        if let agent = environment["POD_AGENT"], !agent.isEmpty { return try absolute(agent) }
        #if os(Linux)
        return try File.readLink("/proc/self/exe").parentFolder + "/pod-agent"
        #else
        return "pod-agent"
        #endif
    }

    private static func absolute(_ path: String) throws(Problem) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { throw Problem("find the working folder", errno: errno) }
        defer { free(folder) }
        return String(cString: folder).appending(path: path)
    }
}
