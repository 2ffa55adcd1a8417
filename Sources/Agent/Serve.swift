internal import CLinux
internal import Glibc
internal import Shared

/// The process that supervises the run. It never returns: its exit code is the pod's.
enum Serve {
    static func run() -> Never {
        linux_keep_memory_small()
        var handled = sigset_t([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        // Before any other thread exists, so that each signal waits for the loop below.
        handled.block()
        // Where it was ignored before, the kernel would throw away how a child ended, wait(2).
        signal(SIGCHLD, SIG_DFL)
        // A write to a follower that left is an error, not the end.
        signal(SIGPIPE, SIG_IGN)
        linux_become_subreaper()
        linux_name_process("pod-agent")
        // A pod whose `init` is gone has nobody to keep its deadline: it ends like one that gets a SIGTERM.
        linux_signal_on_parent_death(SIGTERM)
        let initPid = getppid()
        guard ProcessEnvironment.all[Init.variable] == String(initPid) else {
            Console.say("serve is started by init, which is gone")
            exit(Exit.unknown.rawValue)
        }

        let environment: AgentEnvironment
        do {
            environment = try AgentEnvironment(ProcessEnvironment.all)
        } catch {
            Console.complain(error)
            exit(Exit.config.rawValue)
        }
        Console.detach()
        let children = Children()
        let processes = [initPid, getpid()].compactMap { ProcessIdentity(pid: $0) }
        let daemon = Daemon(environment: environment, children: children, processes: processes)
        Readiness.tell()
        // At once: exit(3) would take libcrypto's state away from threads that still use it.
        Task { _exit(await daemon.run()) }
        while true {
            var age: Int32 = 0
            switch linux_await_signal(&handled, initPid, &age) {
            case SIGCHLD: children.reap()
            case SIGTERM, SIGINT: daemon.post(.terminated, at: .now - .milliseconds(Int(age)))
            default: break
            }
        }
    }
}
