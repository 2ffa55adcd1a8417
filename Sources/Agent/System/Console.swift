internal import Glibc
internal import Shared
internal import Synchronization

/// The agent's standard error, which the provider shows as the container's log.
enum Console {
    /// Writes the lines on a thread of its own; nil while the caller writes them.
    private static let output = Mutex<ContainerOutput?>(nil)

    /// From now on lines are written in the background, so that a slow reader of the container's log delays no caller.
    static func detach() {
        let detached = ContainerOutput(file: STDERR_FILENO)
        output.withLock { $0 = detached }
    }

    static func complain(_ problem: some Error) {
        say("\(problem)")
    }

    static func say(_ line: String) {
        let line = "pod-agent: \(line)"
        if let output = output.withLock({ $0 }) {
            output.say(line)
        } else {
            try? File.write(Array("\(line)\n".utf8)[...], to: STDERR_FILENO)
        }
    }

    /// Returns when all lines are written, or after `timeout`.
    static func flush(within timeout: Duration) async {
        await output.withLock { $0 }?.flush(within: timeout)
    }
}
