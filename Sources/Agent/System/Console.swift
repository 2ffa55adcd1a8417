internal import Glibc
internal import Shared

/// The agent's own standard error, which the provider shows as the container's log.
enum Console {
    static func complain(_ problem: some Error) {
        fputs("pod-agent: \(problem)\n", stderr)
    }

    static func say(_ line: String) {
        fputs("pod-agent: \(line)\n", stderr)
    }
}
