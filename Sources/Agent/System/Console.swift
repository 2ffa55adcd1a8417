internal import Glibc
internal import Shared

/// The agent's own standard error, which the provider shows as the container's log.
enum Console {
    static func complain(_ problem: some Error) {
        say("\(problem)")
    }

    static func say(_ line: String) {
        try? File.write(Array("pod-agent: \(line)\n".utf8)[...], to: STDERR_FILENO)
    }
}
