import Glibc
import Shared
import Synchronization

/// A process that does nothing until it is ended.
///
/// It is not Foundation's `Process`, whose `waitUntilExit` may never return on a thread of Swift's tasks.
final class TestProcess: Sendable {
    let identity: ProcessIdentity
    private let isOver = Mutex(false)

    init() throws {
        let pid = try CleanSpawn(
            program: "/bin/sleep", arguments: ["sleep", "600"], environment: [:], folder: "/", output: STDERR_FILENO
        ).start()
        guard let identity = ProcessIdentity(pid: pid) else { throw Problem("it did not start") }
        self.identity = identity
    }

    /// Kills the process, and returns when it is gone.
    func end() {
        isOver.withLock { isOver in
            if isOver { return }
            kill(identity.pid, SIGKILL)
            waitpid(identity.pid, nil, 0)
            isOver = true
        }
    }

    deinit { end() }
}
