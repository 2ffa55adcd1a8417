internal import CLinux
internal import Glibc
internal import Shared
internal import Synchronization

/// Starts every child of `serve` and is the only place that waits for one, so each exit has one owner.
///
/// `serve` is a subreaper, so the training's orphans become its children too. A table tells which children it started
/// itself.
final class Children: Sendable {
    private struct State {
        var own: [pid_t: Promise<ExitStatus>] = [:]
        /// Starts under way. A start may hang on its volume, so `reap` must not wait for one.
        var starting = 0
        /// Exit statuses that came while a start was under way, whose pid is not in the table yet.
        var early: [pid_t: ExitStatus] = [:]
    }

    private let state = Mutex(State())

    /// Starts `job`. Its exit is fulfilled by the first `reap` after its end.
    func start(_ job: Job) throws(Problem) -> Child {
        state.withLock { $0.starting += 1 }
        let exit = Promise<ExitStatus>()
        var pid: pid_t?
        defer {
            let early = state.withLock { state -> ExitStatus? in
                state.starting -= 1
                defer { if state.starting == 0 { state.early = [:] } }
                guard let pid else { return nil }
                if let early = state.early.removeValue(forKey: pid) { return early }
                state.own[pid] = exit
                return nil
            }
            if let early { exit.fulfil(early) }
        }
        let started = try job.spawn()
        pid = started
        return Child(pid: started, exit: exit)
    }

    /// Returns the exit of an orphan that became a child of this process. It is fulfilled by the first `reap` after the
    /// orphan's end, and never if that was earlier.
    func adopt(_ pid: pid_t) -> Promise<ExitStatus> {
        state.withLock { state in
            let exit = state.own[pid] ?? Promise()
            state.own[pid] = exit
            return exit
        }
    }

    /// Fetches the exit status of every child that has ended. Must be called on each SIGCHLD.
    func reap() {
        while let (exit, status) = state.withLock({ state -> (Promise<ExitStatus>?, ExitStatus)? in
            let pid = linux_peek_ended_child()
            guard pid > 0 else { return nil }
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let exit = state.own.removeValue(forKey: pid)
            if exit == nil && state.starting > 0 { state.early[pid] = ExitStatus(wait: status) }
            return (exit, ExitStatus(wait: status))
        }) {
            exit?.fulfil(status)
        }
    }
}

/// A process that `Children` started.
struct Child: Sendable {
    let pid: pid_t
    let exit: Promise<ExitStatus>
}
