import Shared

/// What befalls the agent at a system call.
enum TortureFault: Hashable, Sendable, CustomStringConvertible {
    case kill
    /// `lasting`: from this call on, each of its kind on the file. `name` is that of an errno.
    case error(_ name: String, lasting: Bool)
    /// The call is made later. `lasting` as above.
    case delay(milliseconds: Int, lasting: Bool)

    /// All that a volume says when it takes nothing.
    static let errors = ["ENOSPC", "EDQUOT", "EIO"]

    /// In the words of strace(1), `-e inject`.
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
