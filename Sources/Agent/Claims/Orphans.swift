internal import Glibc
internal import Shared

/// Processes of a dead agent's training that still run on this machine. They would keep saving into the same work tree.
///
/// They exist only after both `init` and `serve` were killed, and only if no container ended with them.
struct Orphans {
    /// The variable that names the attempt in the environment of all its child processes.
    static let variable = "POD_AGENT_STREAM"

    private let mark: [UInt8]

    init(of claim: Claim) {
        mark = Array("\(Self.variable)=\(claim.stream)".utf8)
    }

    /// Kills all of the dead attempt's processes, and returns once none is left. Throws if some still run 5 s after
    /// SIGKILL.
    func end() throws(Problem) {
        let start = ContinuousClock.now
        while case let left = running, !left.isEmpty {
            guard start.duration(to: .now) < .seconds(5) else {
                throw Problem(
                    "the training of a dead agent does not end: pid \(left.map(String.init).joined(separator: ", "))",
                    hint: "its volume may hang")
            }
            for pid in left { kill(pid, SIGKILL) }
            usleep(5000)
        }
    }

    private var running: [pid_t] {
        ProcessStat.all().filter { process in
            guard !process.isZombie, let environment = try? File.read("/proc/\(process.pid)/environ") else {
                return false
            }
            return environment.split(separator: 0).contains { $0.elementsEqual(mark) }
        }.map(\.pid)
    }
}
