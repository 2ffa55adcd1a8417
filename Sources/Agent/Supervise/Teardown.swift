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
        for step in steps {
            do { try await Task.sleep(until: start + step.after) } catch { return }
            switch (step.target, step.signal) {
            case (.training, let signal):
                for process in leader.map(Self.training) ?? [] { kill(process, signal) }
            case (.tree, SIGKILL):
                while !Task.isCancelled && !ProcessTree.running.isEmpty {
                    ProcessTree.killAll()
                    try? await Task.sleep(for: .milliseconds(20))
                }
            case (.tree, let signal):
                ProcessTree.signal(signal)
            }
        }
    }

    /// The training itself where `leader` is a shell that waits for it: the shell would die of the signal and leave it alone.
    private static func training(of leader: pid_t) -> [pid_t] {
        guard let name = try? File.read("/proc/\(leader)/comm").text.trimmed, ["sh", "bash", "dash"].contains(name)
        else {
            return [leader]
        }
        let children = ProcessStat.all().filter { $0.parent == leader && $0.state != "Z" }.map(\.pid)
        return children.isEmpty ? [leader] : children
    }
}
