internal import Glibc
internal import Shared

/// How a training is told to end: steps in order of time, the last of which nothing survives.
struct Teardown: Sendable, Equatable {
    struct Step: Sendable, Equatable {
        /// Counted from the start of the teardown.
        var after: Duration
        var signal: Int32
        var target: Target
    }

    enum Target: Sendable {
        /// The training's own process; of a shell, what the shell runs.
        case training
        case tree
    }

    var steps: [Step]

    /// For a SIGTERM to the pod, of whose 5 s `init` leaves 4.0.
    static let fast = Teardown(steps: [
        Step(after: .zero, signal: SIGTERM, target: .training),
        Step(after: .milliseconds(2500), signal: SIGTERM, target: .tree),
        Step(after: .milliseconds(3300), signal: SIGKILL, target: .tree),
    ])

    /// For a user who asks.
    static let graceful = Teardown(steps: [
        Step(after: .zero, signal: SIGTERM, target: .training),
        Step(after: .seconds(30), signal: SIGTERM, target: .tree),
        Step(after: .seconds(35), signal: SIGKILL, target: .tree),
    ])

    static let immediate = Teardown(steps: [Step(after: .zero, signal: SIGKILL, target: .tree)])

    /// Takes the steps until the task is cancelled, which is the caller's part once `leader` and all below it are gone.
    /// `leader` is the running child, if there is one.
    func run(on leader: pid_t?) async {
        let start = ContinuousClock.now
        for (index, step) in steps.enumerated() {
            do { try await Task.sleep(until: start + step.after) } catch { return }
            switch (step.target, step.signal) {
            case (.training, let signal):
                let end = index + 1 < steps.count ? start + steps[index + 1].after : start
                if let leader { await Self.signal(leader, signal, until: end) }
            case (.tree, SIGKILL):
                while !Task.isCancelled && !ProcessTree.killAll() {
                    try? await Task.sleep(for: .milliseconds(20))
                }
            case (.tree, let signal):
                ProcessTree.signal(signal)
            }
        }
    }

    /// Signals the training, and what a shell starts in its place afterwards, until `end`.
    private static func signal(_ leader: pid_t, _ signal: Int32, until end: ContinuousClock.Instant) async {
        var told: Set<pid_t> = []
        repeat {
            for pid in recipients(below: leader) where told.insert(pid).inserted { kill(pid, signal) }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        } while ContinuousClock.now < end
    }

    /// Who is to be told to end: the processes that catch SIGTERM, as near to `leader` as they are. A shell that waits would die
    /// of the signal and leave the training alone, and `tee` would take away the pipe that the training still prints into.
    /// Where nobody catches it: what a shell runs, or `leader` itself.
    private static func recipients(below leader: pid_t) -> [pid_t] {
        let children = Dictionary(grouping: ProcessStat.all().filter { $0.state != "Z" }, by: \.parent)
        var catching: [pid_t] = []
        var pending = [leader]
        while let pid = pending.popLast() {
            if SignalMask(ofProcess: pid)?.catches(SIGTERM) == true {
                catching.append(pid)
            } else {
                pending += (children[pid] ?? []).map(\.pid)
            }
        }
        if !catching.isEmpty { return catching }
        let run = (children[leader] ?? []).map(\.pid)
        return isShell(leader) && !run.isEmpty ? run : [leader]
    }

    private static func isShell(_ pid: pid_t) -> Bool {
        guard let name = try? File.read("/proc/\(pid)/comm").text.trimmed else { return false }
        return ["sh", "bash", "dash"].contains(name)
    }
}

/// Which signals a process has handlers for, the line `SigCgt` of /proc/PID/status, proc(5).
struct SignalMask: Sendable {
    private let caught: UInt64

    /// nil where there is no such process.
    init?(ofProcess pid: pid_t) {
        guard let text = try? File.read("/proc/\(pid)/status").text,
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
            let mask = UInt64(line.dropFirst(7).trimmed, radix: 16)
        else { return nil }
        caught = mask
    }

    func catches(_ signal: Int32) -> Bool { caught >> UInt64(signal - 1) & 1 == 1 }
}
