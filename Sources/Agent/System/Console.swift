internal import Glibc
internal import Shared
internal import Synchronization

/// The agent's own standard error, which the provider shows as the container's log.
enum Console {
    /// Whose thread writes the lines; nil where they are written at once.
    private static let output = Mutex<ContainerOutput?>(nil)

    /// From now on nobody waits for whoever takes the lines.
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

    /// Returns when all lines were taken, or after `patience`.
    static func flush(within patience: Duration) async {
        await output.withLock { $0 }?.flush(within: patience)
    }
}
