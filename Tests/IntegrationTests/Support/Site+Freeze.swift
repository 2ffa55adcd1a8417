import Glibc
import Shared
import TestSupport
import Testing

extension Site {
    /// Stops processes at a moment at which `condition` is true, and still is when they stand. A SIGKILL ends them from there.
    func freeze(
        _ processes: [Int32], at moment: String, within patience: Duration = .seconds(30), _ condition: () -> Bool
    ) async throws {
        // A save takes a few milliseconds.
        try await eventuallyTrue(moment, within: patience, every: .microseconds(100)) {
            guard condition() else { return false }
            for process in processes { kill(process, SIGSTOP) }
            try await eventuallyTrue("a training that stands still", every: .microseconds(200)) {
                processes.allSatisfy { ["T", "Z", nil].contains(ProcessStat(pid: $0)?.state) }
            }
            if condition() { return true }
            for process in processes { kill(process, SIGCONT) }
            return false
        }
    }
}
