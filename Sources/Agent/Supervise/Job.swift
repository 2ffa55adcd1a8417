internal import CLinux
internal import Glibc
internal import Shared

/// A process to start: what it runs, where, and with which environment and output.
///
/// A child starts clean: no signal blocked, default handlers, a session of its own, /dev/null to read from,
/// and no descriptor but the three standard ones.
struct Job: Sendable {
    /// The first is a path, or a name that is looked up in `environment`'s PATH.
    var arguments: [String]
    var environment: [String: String]
    var folder: String
    /// Takes standard output and standard error. Stays the caller's.
    var output: Int32
    /// For the kernel's choice when memory runs out, -1000 to 1000, proc(5): the training goes before the agent.
    var outOfMemoryScore = 500

    /// The pid of the new process, which leads a session and a process group.
    func spawn() throws(Problem) -> pid_t {
        let program = try Self.find(arguments.first ?? "", path: environment["PATH"])

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        posix_spawn_file_actions_addchdir_np(&actions, folder)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t([])
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | linux_spawn_setsid
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid: pid_t = 0
        let error = CStrings.with(arguments) { arguments in
            CStrings.with(environment.map { "\($0)=\($1)" }.sorted()) { environment in
                posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else {
            throw Problem("run \"\(program)\" in \"\(folder)\"", errno: error)
        }
        try? File.write(Array("\(outOfMemoryScore)".utf8), over: "/proc/\(pid)/oom_score_adj")
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
