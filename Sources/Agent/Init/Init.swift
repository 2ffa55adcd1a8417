internal import CLinux
internal import Glibc
internal import Shared

/// The first process of the pod: starts `serve`, passes signals on, reaps strangers, and keeps the deadline whatever `serve` does.
///
/// Synchronous, of one thread, and it never touches the volume. As PID 1 all orphans of the pod are its children;
/// elsewhere it becomes a subreaper and behaves the same.
struct Init {
    /// From a SIGTERM to the moment when this process begins to kill what is left. The pod is gone after 5 s.
    static let deadline: Duration = .milliseconds(3800)

    /// For the killing. At 4.0 s this process has left.
    private static let killTime: Duration = .milliseconds(200)

    /// Tells `serve` the pid of its `init`.
    static let variable = "POD_AGENT_INIT"

    private let clock = ContinuousClock()
    private let serve: pid_t
    private let signals: Int32
    private var ready: Int32?
    /// A SIGTERM that `serve` was not ready to take yet.
    private var held = false
    private var terminated: ContinuousClock.Instant?
    private var killAt: ContinuousClock.Instant? { terminated.map { $0 + Self.deadline } }

    /// Runs the pod to its end and returns the exit code of `serve`; 128 + n where a signal ended it.
    static func run() -> Int32 {
        let handled = [SIGTERM, SIGINT, SIGHUP, SIGCHLD]
        sigset_t(handled).block()
        signal(SIGCHLD, SIG_DFL)
        linux_become_subreaper()
        do {
            var this = try Init(handled: sigset_t(handled))
            return this.loop()
        } catch {
            Console.complain(error)
            return Exit.system.rawValue
        }
    }

    private init(handled: sigset_t) throws(Problem) {
        var handled = handled
        signals = linux_signalfd(&handled)
        let pipe = try Pipe()
        ready = pipe.readEnd
        serve = try Self.spawnServe(ready: pipe.writeEnd)
        close(pipe.writeEnd)
    }

    private mutating func loop() -> Int32 {
        while true {
            wait()
            for signal in pendingSignals() {
                if signal == SIGTERM || signal == SIGINT { terminate() }
            }
            if held && ready == nil { pass() }
            if let status = reap() { return leave(status.shellCode) }
            if let killAt, clock.now >= killAt {
                let code = leave(128 + SIGTERM)
                // Last: whoever takes this output may hang too.
                Console.say("serve had not ended \(Self.deadline) after SIGTERM: what was left is killed")
                return code
            }
        }
    }

    /// Until a signal came, `serve` became ready, or the deadline is there.
    private mutating func wait() {
        var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        if let ready { descriptors.append(pollfd(fd: ready, events: Int16(POLLIN), revents: 0)) }
        let patience = killAt.map { max(0, ($0 - clock.now).milliseconds + 1) } ?? -1
        poll(&descriptors, nfds_t(descriptors.count), Int32(patience))
        if descriptors.count > 1 && descriptors[1].revents != 0, let ready {
            close(ready)
            self.ready = nil
        }
    }

    private func pendingSignals() -> [Int32] {
        var found: [Int32] = []
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { found.append(Int32(info.ssi_signo)) }
        return found
    }

    /// A second SIGTERM changes nothing.
    private mutating func terminate() {
        guard terminated == nil else { return }
        terminated = clock.now
        if ready == nil { pass() } else { held = true }
    }

    private mutating func pass() {
        held = false
        // With how long it was held: `serve` counts from the moment when it came.
        let age = terminated.map { ($0.duration(to: clock.now)).milliseconds } ?? 0
        _ = linux_queue_signal(serve, SIGTERM, Int32(age))
    }

    /// Fetches every child that has ended. The status of `serve` once it is among them.
    private func reap() -> ExitStatus? {
        var ended: ExitStatus?
        var status: Int32 = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            if pid == serve { ended = ExitStatus(wait: status) }
        }
        return ended
    }

    /// Ends whatever is left. Only tasks inside a call on a hung volume outlast this.
    private func leave(_ code: Int32) -> Int32 {
        let patience = clock.now + Self.killTime
        while clock.now < patience {
            if getpid() == 1 { kill(-1, SIGKILL) }
            let found = ProcessTree.killAll()
            while waitpid(-1, nil, WNOHANG) > 0 {}
            if found == 0 { break }
            usleep(2000)
        }
        return code
    }

    private static func spawnServe(ready: Int32) throws(Problem) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ready, Readiness.descriptor)
        // `serve` would not know whether its parent is this process still, or one that took it over.
        setenv(Self.variable, String(getpid()), 1)
        var pid: pid_t = 0
        // The mask is inherited on purpose: `serve` keeps these signals blocked and fetches them itself.
        let error = CStrings.with(["pod-agent", "serve"]) {
            posix_spawn(&pid, "/proc/self/exe", &actions, nil, $0, environ)
        }
        guard error == 0 else { throw Problem("start \"pod-agent serve\"", errno: error) }
        return pid
    }
}

/// How `serve` tells `init` that a SIGTERM is now in good hands.
enum Readiness {
    static let descriptor: Int32 = 3

    static func report() {
        // Closing is telling; where nobody passed the descriptor there is nobody to tell.
        close(descriptor)
    }
}
