import Glibc
import Shared
import Testing

/// Pid and mount namespaces for tests: as root, or in a user namespace if this machine lets any user have one.
enum Namespaces {
    /// The words before a program that start it as PID 1; nil if neither way is open.
    static let unshare: [String]? = [["unshare"], ["unshare", "--user", "--map-root-user"]]
        .map { $0 + ["--mount", "--pid", "--fork", "--kill-child"] }
        .first { works($0 + ["--mount-proc", "true"]) }

    static let areAvailable = unshare != nil
    static let reason: Comment = "pid namespaces need root, or user namespaces that are open to all"

    /// The words before a program that start it in the namespaces of `pid`, which `unshare` started.
    static func enter(_ pid: Int32) -> [String] {
        let user = unshare?.contains("--user") == true ? ["--user", "--preserve-credentials"] : []
        return ["nsenter", "--target", "\(pid)"] + user + ["--mount", "--pid", "--root", "--wd"]
    }

    /// Whether a program runs here and exits with 0.
    static func works(_ arguments: [String]) -> Bool {
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(null) }
        let pid = try? CleanSpawn(
            program: "/usr/bin/env", arguments: ["env"] + arguments, environment: ProcessEnvironment.all, folder: "/",
            output: null
        ).start()
        guard let pid else { return false }
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }
}
