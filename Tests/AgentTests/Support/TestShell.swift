import Glibc
import Shared
import Synchronization

@testable import Agent

/// A shell that runs a script. Ending it also ends every process that it started.
final class TestShell: Sendable {
    let pid: pid_t
    private let isOver = Mutex(false)

    init(_ script: String) throws {
        pid = try CleanSpawn(
            program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], folder: "/",
            output: STDERR_FILENO
        ).start()
    }

    /// Whether it has a file of this name open.
    func has(open name: String) -> Bool {
        ((try? File.list("/proc/\(pid)/fd")) ?? []).contains { descriptor in
            (try? File.readLink("/proc/\(pid)/fd/\(descriptor)"))?.hasSuffix("/" + name) == true
        }
    }

    /// Kills the shell and its descendants, and returns when it is gone.
    func end() {
        isOver.withLock { isOver in
            if isOver { return }
            for process in ProcessStat.descendants(of: pid) { kill(process.pid, SIGKILL) }
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            isOver = true
        }
    }

    deinit { end() }
}
