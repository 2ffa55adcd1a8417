#if os(Linux)
internal import CLinux
internal import Glibc

/// Starts a program in a clean state: no signal is blocked or has a handler, and it has its own session and process
/// group. Its standard input is empty or a pipe, and it gets no descriptor but the three standard ones.
///
/// Threads of Swift concurrency block nearly all signals, and a child inherits that. Otherwise SIGTERM would not reach
/// it.
public struct CleanSpawn: Sendable {
    /// A path. PATH is not searched.
    public var program: String
    /// The first one is the program's name for itself.
    public var arguments: [String]
    public var environment: [String: String]
    public var folder: String
    /// A descriptor that becomes standard output and standard error. The caller still owns it.
    public var output: Int32

    public init(
        program: String, arguments: [String], environment: [String: String], folder: String, output: Int32
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.output = output
    }

    /// Returns the pid of the new process. The caller has to wait for it.
    public func start() throws(Problem) -> Int32 {
        let input = try Self.emptyInput()
        defer { close(input) }
        return try start(reading: input)
    }

    /// Starts the program with a pipe as its standard input. The caller owns `input`, the other end. The program reads the
    /// end of its input once `input` is closed, or the caller has ended.
    public func startWithPipe() throws(Problem) -> (pid: Int32, input: Int32) {
        let pipe = try Self.makePipe()
        defer { close(pipe.output) }
        do throws(Problem) {
            return (try start(reading: pipe.output), pipe.input)
        } catch {
            close(pipe.input)
            throw error
        }
    }

    private func start(reading input: Int32) throws(Problem) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        posix_spawn_file_actions_addchdir_np(&actions, folder)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | linux_spawn_setsid))

        var pid: pid_t = 0
        let error = CStrings.with(arguments) { arguments in
            CStrings.with(environment.map { "\($0)=\($1)" }.sorted()) { environment in
                posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw Problem("run \"\(program)\" in \"\(folder)\"", errno: error) }
        return pid
    }

    /// Opens /dev/null. In a root without it, a pipe without a writer reads the same.
    private static func emptyInput() throws(Problem) -> Int32 {
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if null >= 0 { return null }
        let pipe = try makePipe()
        close(pipe.input)
        return pipe.output
    }

    private static func makePipe() throws(Problem) -> (output: Int32, input: Int32) {
        var ends: [Int32] = [0, 0]
        do { try Errno.check { pipe2(&ends, O_CLOEXEC) } } catch { throw Problem("make a pipe", errno: error.code) }
        return (ends[0], ends[1])
    }
}
#endif
