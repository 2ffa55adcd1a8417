internal import CLinux
internal import Glibc
internal import Shared
internal import Synchronization

/// Starts every child of `serve` and is the only place that waits for one, so each exit has one owner.
///
/// `serve` is a subreaper: orphans of the training become its children too. They are told apart from its own
/// by the table below, which a child enters before anyone can look whether it has ended.
final class Children: Sendable {
    private let own = Mutex<[pid_t: Promise<ExitStatus>]>([:])

    /// Starts `job`. Its exit arrives once `reap` was called after it ended.
    func start(_ job: Job) throws(Problem) -> Child {
        try own.withLock { own throws(Problem) in
            let exit = Promise<ExitStatus>()
            let pid = try job.spawn()
            own[pid] = exit
            return Child(pid: pid, exit: exit)
        }
    }

    /// Fetches the exit status of every child that has ended. To be called on each SIGCHLD.
    func reap() {
        while let (exit, status) = own.withLock({ own -> (Promise<ExitStatus>?, ExitStatus)? in
            let pid = linux_peek_ended_child()
            guard pid > 0 else { return nil }
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            return (own.removeValue(forKey: pid), ExitStatus(wait: status))
        }) {
            exit?.keep(status)
        }
    }
}

/// A process that `Children` started.
struct Child: Sendable {
    let pid: pid_t
    let exit: Promise<ExitStatus>
}

extension ExitStatus {
    /// `status` as wait(2) gives it.
    init(wait status: Int32) {
        self = linux_wexited(status) != 0 ? .code(linux_wexitstatus(status)) : .signal(linux_wtermsig(status))
    }
}
