internal import Glibc
internal import Shared

/// The command of a child of the agent, with its environment, folder and output.
struct Job: Sendable {
    /// The first word is a path, or a name that is searched for in `environment`'s PATH.
    var arguments: [String]
    var environment: [String: String]
    var folder: String
    /// Descriptor for standard output and standard error. The caller closes it.
    var output: Int32

    /// When memory runs out, the kernel kills the process with the highest score, -1000 to 1000, proc(5): not the
    /// agent.
    private static let outOfMemoryScore = 500

    /// Starts the command as the leader of a new session and process group, and returns its pid.
    func spawn() throws(Problem) -> pid_t {
        let program = try Self.find(arguments.first ?? "", path: environment["PATH"])
        let pid = try CleanSpawn(
            program: program, arguments: arguments, environment: environment, folder: folder, output: output
        ).start()
        try? File.write(Array("\(Self.outOfMemoryScore)".utf8), over: "/proc/\(pid)/oom_score_adj")
        return pid
    }

    /// Returns the path of `program`: the first match in `path` (as in PATH), or `program` itself if it holds a slash,
    /// execvp(3).
    static func find(_ program: String, path: String?) throws(Problem) -> String {
        if program.contains("/") { return program }
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for folder in folders where !program.isEmpty && File.isExecutable("\(folder)/\(program)") {
            return "\(folder)/\(program)"
        }
        throw Problem("there is no \"\(program)\" here", hint: "install it in the image, or name its full path")
    }
}
