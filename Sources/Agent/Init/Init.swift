internal import CLinux
internal import Glibc
internal import Shared

/// The first process of the pod: starts `serve`, forwards signals, reaps orphans, and ends the pod in time even if
/// `serve` hangs.
///
/// It keeps its side of the lease too: another pod takes the run over once the volume shows no sign of life for 30 s,
/// so nothing may train here by then. If `serve` posts no sign of life for `lease`, this process ends the pod.
///
/// It has one thread, waits for nothing but events, and never touches the volume. As PID 1 it gets all orphans of the
/// pod; elsewhere it becomes a subreaper, with the same effect.
struct Init {
    /// Time from SIGTERM until this process kills whatever still runs. The host kills the pod after 5 s.
    static let deadline: Duration = .milliseconds(3800)

    /// Time without a sign of life from `serve` after which this process ends the training. A newcomer waits for 30 s,
    /// `Claiming.timeout`.
    static let lease: Duration = .seconds(20)

    /// Limit for the killing, so that this process exits within 4.0 s.
    private static let killTime: Duration = .milliseconds(200)

    /// The environment variable that holds the pid of `init`, for `serve`.
    static let variable = "POD_AGENT_INIT"

    private let clock = ContinuousClock()
    /// Does not count the time in which the machine was suspended: no process ran then, and none was watched.
    private let leaseClock = SuspendingClock()
    private let serve: pid_t
    private let signals: Int32
    /// The pipe on which `serve` posts signs of life; nil once it is closed.
    private var life: Int32?
    /// The last sign of life; nil before the first one, which says that `serve` takes signals.
    private var lastSign: SuspendingClock.Instant?
    /// Whether a SIGTERM came before `serve` was ready for it.
    private var isHeld = false
    private var terminated: ContinuousClock.Instant?
    private var killAt: ContinuousClock.Instant? { terminated.map { $0 + Self.deadline } }

    /// Runs the pod to its end and returns the exit code of `serve`; 128 + n if signal n ended it.
    static func run() -> Int32 {
        let handled = [SIGTERM, SIGINT, SIGHUP, SIGCHLD]
        sigset_t(handled).block()
        ignoreSignals(except: handled)
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
        life = pipe.readEnd
        _ = fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK)
        serve = try Self.spawnServe(life: pipe.writeEnd)
        close(pipe.writeEnd)
        linux_keep_private()
        // `serve` has its own copy. The training may read what this process still has, proc(5).
        ProcessEnvironment.wipe { PrivateVariables.contains($0) }
    }

    private mutating func loop() -> Int32 {
        while true {
            wait()
            for signal in pendingSignals() {
                if signal == SIGTERM || signal == SIGINT { terminate() }
            }
            let hasLapsed = takeSigns()
            if isHeld && isReady { forward() }
            if let status = reap() { return leave(status.shellCode) }
            if hasLapsed {
                let code = leave(Exit.system.rawValue)
                Console.say(
                    "serve gave no sign of life for \(Self.lease): the training was ended, since another pod may own the run"
                )
                return code
            }
            if let killAt, clock.now >= killAt {
                let code = leave(128 + SIGTERM)
                // Last, because the reader of this output may hang too.
                Console.say("serve had not ended \(Self.deadline) after SIGTERM: what was left is killed")
                return code
            }
        }
    }

    /// Whether `serve` takes signals.
    private var isReady: Bool { lastSign != nil || life == nil }

    /// Returns when a signal or a sign of life came, or at a deadline.
    private func wait() {
        var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        if let life { descriptors.append(pollfd(fd: life, events: Int16(POLLIN), revents: 0)) }
        let deadlines = [killAt.map { $0 - clock.now }, lastSign.map { $0 + Self.lease - leaseClock.now }]
        let timeout = deadlines.compactMap { $0 }.min().map { max(0, $0.milliseconds + 1) } ?? -1
        poll(&descriptors, nfds_t(descriptors.count), Int32(timeout))
    }

    /// Takes what `serve` posted. Returns whether the lease has lapsed, also if a late sign came after that: this
    /// process itself may have been stopped meanwhile.
    private mutating func takeSigns() -> Bool {
        let now = leaseClock.now
        let hasLapsed = lastSign.map { $0.duration(to: now) > Self.lease } ?? false
        guard let life else { return hasLapsed }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(life, &buffer, buffer.count)
        if count > 0 { lastSign = now }
        if count == 0 {
            // `serve` is ending, and its exit follows.
            close(life)
            (self.life, lastSign) = (nil, nil)
        }
        return hasLapsed
    }

    /// A signal that this process does not handle would end it, and with it the training, signal(7). Faults stay.
    private static func ignoreSignals(except handled: [Int32]) {
        let faults = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
        for number in 1...64 where !handled.contains(Int32(number)) && !faults.contains(Int32(number)) {
            signal(Int32(number), SIG_IGN)
        }
    }

    private func pendingSignals() -> [Int32] {
        var found: [Int32] = []
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { found.append(Int32(info.ssi_signo)) }
        return found
    }

    /// Forwards the first SIGTERM. Later ones change nothing.
    private mutating func terminate() {
        guard terminated == nil else { return }
        terminated = clock.now
        if isReady { forward() } else { isHeld = true }
    }

    private mutating func forward() {
        isHeld = false
        // The signal carries its age in milliseconds, because `serve` counts from the moment when it came.
        let age = terminated.map { ($0.duration(to: clock.now)).milliseconds } ?? 0
        _ = linux_queue_signal(serve, SIGTERM, Int32(age))
    }

    /// Fetches the exit status of every child that has ended. Returns that of `serve`; nil while it runs.
    private func reap() -> ExitStatus? {
        var ended: ExitStatus?
        var status: Int32 = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            if pid == serve { ended = ExitStatus(wait: status) }
        }
        return ended
    }

    /// Kills all remaining processes and returns `code`. Only processes that hang in a system call outlast it.
    private func leave(_ code: Int32) -> Int32 {
        let end = clock.now + Self.killTime
        while clock.now < end {
            if getpid() == 1 { kill(-1, SIGKILL) }
            let found = ProcessTree.killAll()
            while waitpid(-1, nil, WNOHANG) > 0 {}
            if found == 0 { break }
            usleep(2000)
        }
        return code
    }

    private static func spawnServe(life: Int32) throws(Problem) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, life, SignOfLife.descriptor)
        // `serve` compares it with its parent's pid, to find out whether this process died meanwhile.
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
