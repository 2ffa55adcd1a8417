import Glibc
import Shared

/// The processes that a test started, found by a mark in their environment.
///
/// Pods have their own sessions and daemons change their parents, but the environment stays readable, proc(5).
enum Leftovers {
    static let variable = "LAUNCH_TEST_SITE"

    static func running(_ mark: String) -> [ProcessStat] {
        let entry = Array("\(variable)=\(mark)".utf8)
        return ProcessStat.all().filter { process in
            guard !process.isZombie, let environment = try? File.read("/proc/\(process.pid)/environ") else {
                return false
            }
            return environment.split(separator: 0).contains { $0.elementsEqual(entry) }
        }
    }

    /// Kills the processes until none is left. Returns the command line of each.
    static func kill(_ mark: String) async -> [String] {
        var names: [Int32: String] = [:]
        // A process that SIGKILL does not end within 10 s is returned, too, and left behind.
        let start = ContinuousClock.now
        while case let found = running(mark), !found.isEmpty, start.duration(to: .now) < .seconds(10) {
            for process in found {
                names[process.pid] = commandLine(process.pid)
                Glibc.kill(process.pid, SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return names.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    }

    static func commandLine(_ pid: Int32) -> String {
        ((try? File.read("/proc/\(pid)/cmdline")) ?? []).split(separator: 0).map { Array($0).text }
            .joined(separator: " ")
    }
}
