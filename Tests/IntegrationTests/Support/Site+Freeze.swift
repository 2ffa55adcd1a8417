import Glibc
import Shared
import TestSupport
import Testing

extension Site {
    /// Stops processes while `condition` is true. Returns once they stand and it is still true, so that a SIGKILL hits
    /// them in that moment.
    func freeze(
        _ processes: [Int32], at moment: String, within timeout: Duration = .seconds(30), _ condition: () -> Bool
    ) async throws {
        // A save takes a few milliseconds.
        try await eventuallyTrue(moment, within: timeout, every: .microseconds(100)) {
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
