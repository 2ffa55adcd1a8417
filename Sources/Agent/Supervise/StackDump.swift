internal import Glibc
internal import Shared

/// Makes the processes of a stalled training print their stacks. A Python process with its fault handler enabled does
/// so on SIGABRT, and dies. Every rank has to print, because any of them may be the one that the others wait for.
///
/// The processes share one output, so they print one after the other. Those that have not printed yet are stopped
/// meanwhile. Otherwise a launcher would end its ranks when the first one dies, and a rank that lost another one would
/// exit.
enum StackDump {
    /// Limit for one process. Printing takes milliseconds, but a rank's exit may take longer.
    private static let turn: Duration = .milliseconds(500)
    /// The last part of the time, in which processes that print for longer than their turn can finish.
    private static let reserve: Duration = .seconds(1)

    /// Signals each process that catches SIGABRT, the last one before `end`. Returns false if there is none. `note`
    /// gets their number before the first signal.
    static func take(until end: ContinuousClock.Instant, note: (_ processes: Int) -> Void) async -> Bool {
        let all = ProcessTree.running
        let printers = all.filter { ProcessSignals(of: $0.pid)?.catches(SIGABRT) == true }
        if printers.isEmpty { return false }
        let waiting = printers.map(\.pid) + ancestors(of: printers, in: all)
        for pid in waiting { kill(pid, SIGSTOP) }
        defer { for pid in waiting { kill(pid, SIGCONT) } }
        note(printers.count)
        // Children first. The list has them after their parents.
        for (index, process) in printers.reversed().enumerated() {
            kill(process.pid, SIGABRT)
            kill(process.pid, SIGCONT)
            let share = (end - reserve - .now) / (printers.count - index)
            let turnEnds = ContinuousClock.now + min(turn, share)
            while ProcessStat.isRunning(process.pid) && .now < turnEnds {
                do { try await Task.sleep(for: .milliseconds(5)) } catch { return true }
            }
        }
        return true
    }

    private static func ancestors(of processes: [ProcessStat], in all: [ProcessStat]) -> Set<pid_t> {
        let parents = Dictionary(all.map { ($0.pid, $0.parent) }) { first, _ in first }
        var found: Set<pid_t> = []
        for process in processes {
            var pid = process.parent
            while let parent = parents[pid], found.insert(pid).inserted { pid = parent }
        }
        return found.subtracting(processes.map(\.pid))
    }
}
