internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Turns paths in a config into absolute paths of this machine.
struct Paths: Sendable {
    /// The config's folder, absolute.
    let folder: String
    /// The user's home; nil if the environment has no absolute `HOME`.
    let home: String?
    /// The volume of `local` if the config names none: `$LAUNCH_HOME/volume`.
    let defaultVolume: String?

    init(config path: String, environment: [String: String]) throws(ConfigError) {
        guard let real = realpath(path.parentFolder, nil) else {
            throw ConfigError(file: path, message: "could not be read: \(Errno.current)")
        }
        defer { free(real) }
        self.init(folder: String(cString: real), environment: environment)
    }

    init(folder: String, environment: [String: String]) {
        func absolute(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        self.folder = folder
        home = absolute("HOME")
        defaultVolume = (try? LaunchHome.path(environment)).map { $0 + "/volume" }
    }

    /// `~` is the home; a relative path begins in the config's folder. nil if `~` has no meaning here.
    func resolve(_ path: String) -> String? {
        guard path.hasPrefix("~") else { return folder.appending(path: path).normalized }
        guard let home, path == "~" || path.hasPrefix("~/") else { return nil }
        return (home + path.dropFirst()).normalized
    }
}

extension String {
    /// The path without `.`, doubled slashes and `..`. A relative path keeps the `..` that lead out of its folder.
    var normalized: String {
        var parts: [Substring] = []
        for part in split(separator: "/") where part != "." {
            if part != ".." || (parts.last ?? "..") == ".." && !hasPrefix("/") {
                parts.append(part)
            } else {
                _ = parts.popLast()
            }
        }
        let path = parts.joined(separator: "/")
        return hasPrefix("/") ? "/" + path : path.isEmpty ? "." : path
    }

    /// Whether this absolute path is `folder` or below it.
    func isInside(_ folder: String?) -> Bool {
        guard let folder else { return false }
        return folder == "/" || normalized == folder.normalized || normalized.hasPrefix(folder.normalized + "/")
    }

    /// Whether this relative path leads out of the folder in which it begins.
    var leadsOut: Bool { normalized == ".." || normalized.hasPrefix("../") }
}
