internal import Glibc
internal import Shared

/// A child of the agent: what it runs, where, and with which environment and output.
struct Job: Sendable {
    /// The first is a path, or a name that is looked up in `environment`'s PATH.
    var arguments: [String]
    var environment: [String: String]
    var folder: String
    /// Takes standard output and standard error. Stays the caller's.
    var output: Int32

    /// For the kernel's choice when memory runs out, -1000 to 1000, proc(5): the training goes before the agent.
    private static let outOfMemoryScore = 500

    /// The pid of the new process, which leads a session and a process group.
    func spawn() throws(Problem) -> pid_t {
        let program = try Self.find(arguments.first ?? "", path: environment["PATH"])
        let pid = try CleanSpawn(
            program: program, arguments: arguments, environment: environment, folder: folder, output: output
        ).start()
        try? File.write(Array("\(Self.outOfMemoryScore)".utf8), over: "/proc/\(pid)/oom_score_adj")
        return pid
    }

    /// The path of `program`, found in `path` (as in PATH) unless it holds a slash, execvp(3).
    static func find(_ program: String, path: String?) throws(Problem) -> String {
        if program.contains("/") { return program }
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for folder in folders where !program.isEmpty && File.isExecutable("\(folder)/\(program)") {
            return "\(folder)/\(program)"
        }
        throw Problem("there is no \"\(program)\" here", hint: "install it in the image, or name its full path")
    }
}
