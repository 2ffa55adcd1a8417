internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Finds the folder in which `launch` keeps its pods, its key and the default volume of `local`.
enum LaunchHome {
    /// Returns `$LAUNCH_HOME`, else `launch` in `$XDG_STATE_HOME`, else `~/.local/state/launch`; absolute.
    static func path(_ environment: [String: String]) throws(Problem) -> String {
        if let home = environment["LAUNCH_HOME"], !home.isEmpty { return try home.madeAbsolute() }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/launch" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Problem(
                "neither LAUNCH_HOME nor HOME is set", hint: "set LAUNCH_HOME to a folder for pods and volumes")
        }
        return "\(home)/.local/state/launch"
    }
}

extension String {
    /// Returns this path as seen from the working folder, absolute.
    func madeAbsolute() throws(Problem) -> String {
        if hasPrefix("/") { return self }
        guard let folder = getcwd(nil, 0) else { throw Problem("find the working folder", errno: errno) }
        defer { free(folder) }
        return String(cString: folder).appending(path: self)
    }
}
