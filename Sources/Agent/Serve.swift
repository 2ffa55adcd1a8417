internal import CLinux
internal import Glibc
internal import Shared

/// The process that supervises the run. It never returns: its exit code is the pod's.
enum Serve {
    static func run() -> Never {
        var handled = prepareProcess()
        // If `init` is gone, a SIGTERM for the pod would reach nothing: this process then ends as if it got one.
        linux_signal_on_parent_death(SIGTERM)
        let initPid = getppid()
        guard ProcessEnvironment.all[Init.variable] == String(initPid) else {
            Console.say("serve is started by init, which is gone")
            exit(Exit.unknown.rawValue)
        }
        let children = Children()
        let terminate = start(children, agent: [initPid, getpid()].compactMap { ProcessIdentity(pid: $0) })
        while true {
            var age: Int32 = 0
            switch linux_await_signal(&handled, initPid, &age) {
            case SIGCHLD: children.reap()
            case SIGTERM, SIGINT: terminate(.now - .milliseconds(Int(age)))
            default: break
            }
        }
    }

    /// Returns the signals that this process fetches by itself.
    private static func prepareProcess() -> sigset_t {
        linux_keep_memory_small()
        linux_keep_private()
        let handled = sigset_t([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        // Before any other thread exists, so that each signal waits for the loop of `run`.
        handled.block()
        // If a parent ignored SIGCHLD, the kernel would discard how a child ended, wait(2).
        signal(SIGCHLD, SIG_DFL)
        // A write to a follower that left returns an error instead of ending this process.
        signal(SIGPIPE, SIG_IGN)
        // A file that reaches the limit on its size is one more volume that takes nothing: the write returns EFBIG.
        signal(SIGXFSZ, SIG_IGN)
        linux_become_subreaper()
        linux_name_process("pod-agent")
        return handled
    }

    /// Starts the daemon. Without a valid environment it only stops the pod. Returns what a SIGTERM does, given when it
    /// came.
    private static func start(_ children: Children, agent: [ProcessIdentity]) -> (ContinuousClock.Instant) -> Void {
        var variables = ProcessEnvironment.all
        // From here on only `variables` has them: a training of the same user can read this process's environment.
        ProcessEnvironment.wipe { PrivateVariables.contains($0) }
        do {
            variables = try SpecVariable.resolved(variables)
            let host = Host(variables)
            return start(try AgentEnvironment(variables, on: host), host, children, agent)
        } catch {
            Console.complain(error)
            return stopPod(Host(variables))
        }
    }

    private static func start(
        _ environment: AgentEnvironment, _ host: Host, _ children: Children, _ agent: [ProcessIdentity]
    ) -> (ContinuousClock.Instant) -> Void {
        Console.detach()
        let daemon = Daemon(environment: environment, host: host, agent: agent) { attempt in
            Supervisor(children: children, log: attempt.log, saves: attempt.saves, mask: environment.mask)
        }
        SignOfLife.begin()
        // At once: exit(3) would take libcrypto's state away from threads that still use it.
        Task { _exit(await daemon.run()) }
        return { daemon.post(.terminated, at: $0) }
    }

    /// Begins to stop the pod of an agent that cannot begin, so that the pod is not billed on. The agent exits after
    /// the stop. Returns the handler of SIGTERM.
    private static func stopPod(_ host: Host) -> (ContinuousClock.Instant) -> Void {
        SignOfLife.begin()
        let stopper = PodStopper(routes: host.stopRoutes, way: .stop) { Console.say($0) }
        Task {
            await stopper.run()
            _exit(Exit.config.rawValue)
        }
        return { _ in _exit(Exit.config.rawValue) }
    }
}
