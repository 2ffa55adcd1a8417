import Shared

/// A fault that strace injects into a system call of the agent.
enum TortureFault: Hashable, Sendable, CustomStringConvertible {
    /// The agent gets SIGKILL at the call.
    case kill
    /// The call fails. `name` is that of an errno. `lasting`: all later calls of its kind on the file fail too.
    case error(_ name: String, lasting: Bool)
    /// The call is made later. `lasting`: so are all later calls of its kind on the file.
    case delay(milliseconds: Int, lasting: Bool)

    /// The errors with which a volume refuses writes.
    static let errors = ["ENOSPC", "EDQUOT", "EIO"]

    /// The fault in the syntax of `-e inject`, strace(1).
    var injection: String {
        switch self {
        case .kill: "signal=KILL"
        case .error(let name, _): "error=\(name)"
        case .delay(let milliseconds, _): "delay_enter=\(milliseconds)ms"
        }
    }

    var lasts: Bool {
        switch self {
        case .kill: false
        case .error(_, let lasting), .delay(_, let lasting): lasting
        }
    }

    var isError: Bool { if case .error = self { true } else { false } }

    var description: String { injection + (lasts ? " from then on" : "") }
}
