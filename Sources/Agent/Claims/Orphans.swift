internal import Glibc
internal import Shared

/// What a dead agent left running on this machine: its training would go on saving into the same work tree.
///
/// Only a kill of both `init` and `serve` leaves any, and only where no container ends with them.
struct Orphans {
    /// Names the attempt in the environment of all its children.
    static let variable = "POD_AGENT_STREAM"

    private let mark: [UInt8]

    init(of claim: Claim) {
        mark = Array("\(Self.variable)=\(claim.stream)".utf8)
    }

    /// Returns once none is left. Throws where some outlast a SIGKILL for 5 s.
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
