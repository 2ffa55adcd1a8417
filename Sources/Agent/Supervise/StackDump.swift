internal import Glibc
internal import Shared

/// Has a training that stands still print where it is: each Python does that with its fault handler on, when SIGABRT comes, and dies.
/// Any of many ranks may be the one that the others wait for.
///
/// They print into one output, so each has its turn. Who waits for its own stands still: a launcher would end its ranks once one of them
/// has died, and a rank that has lost another one would say that and leave.
enum StackDump {
    /// How long a turn takes at most. What has to be printed takes milliseconds, what a rank does at its end may take longer.
    private static let turn: Duration = .milliseconds(500)
    /// Of the time that there is, what is left for those who print more.
    private static let reserve: Duration = .seconds(1)

    /// Returns whether there was anybody; `note` is told of how many before the first signal. By `end` all were told to.
    static func take(until end: ContinuousClock.Instant, note: (_ processes: Int) -> Void) async -> Bool {
        let all = ProcessTree.running
        let printers = all.filter { SignalMask(ofProcess: $0.pid)?.catches(SIGABRT) == true }
        if printers.isEmpty { return false }
        let waiting = printers.map(\.pid) + ancestors(of: printers, in: all)
        for pid in waiting { kill(pid, SIGSTOP) }
        defer { for pid in waiting { kill(pid, SIGCONT) } }
        note(printers.count)
        // Children first: they come after their parents here.
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
