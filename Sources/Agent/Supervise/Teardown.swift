internal import Glibc
internal import Shared

/// A plan to end a training: steps in order of time. The last one is SIGKILL to every process.
struct Teardown: Sendable, Equatable {
    struct Step: Sendable, Equatable {
        /// Time since the start of the teardown.
        var after: Duration
        var signal: Int32
        var target: Target
        /// A training that does not catch SIGTERM gets it only when no save is under way, or not at all before the next
        /// step.
        var sparesSave = false
        /// The processes that get the signal have handlers for it; nil if that is not known.
        var isCaught: Bool?
    }

    typealias Target = TeardownReport.Target

    /// Called with each signal that was sent, and the number of processes that got it.
    typealias Note = @Sendable (_ step: Step, _ processes: Int) -> Void

    var steps: [Step]

    /// Time from the start to SIGKILL.
    var length: Duration { steps.last?.after ?? .zero }

    /// Time that the training has to save and exit, until the first step that reaches every process.
    var grace: Duration { steps.first { $0.target == .tree }?.after ?? .zero }

    /// Whether it takes so long that the log reports what it waits for.
    var isGraceful: Bool { self == .graceful(grace: grace) }

    /// For a SIGTERM to the pod. The host allows 5 s, and `init` begins to kill after 3.8 s.
    static let fast = Teardown(steps: [
        Step(after: .zero, signal: SIGTERM, target: .training, sparesSave: true),
        Step(after: .milliseconds(3000), signal: SIGTERM, target: .tree),
        Step(after: .milliseconds(3300), signal: SIGKILL, target: .tree),
    ])

    /// For a stalled training: on SIGABRT, Python with PYTHONFAULTHANDLER prints its stacks and dies.
    static let dump = Teardown(steps: [
        Step(after: .zero, signal: SIGABRT, target: .training),
        Step(after: .seconds(5), signal: SIGTERM, target: .tree),
        Step(after: .seconds(10), signal: SIGKILL, target: .tree),
    ])

    /// For a request of the user: `grace` for the training to save and exit, and 5 s more for the processes that it
    /// leaves.
    static func graceful(grace: Duration = StopRequest.usualGrace) -> Teardown {
        Teardown(steps: [
            Step(after: .zero, signal: SIGTERM, target: .training, sparesSave: true),
            Step(after: grace, signal: SIGTERM, target: .tree),
            Step(after: grace + .seconds(5), signal: SIGKILL, target: .tree),
        ])
    }

    init(_ request: StopRequest) {
        switch request.mode {
        case .graceful: self = .graceful(grace: request.grace ?? StopRequest.usualGrace)
        case .now: self = .fast
        }
    }

    init(steps: [Step]) { self.steps = steps }

    static let immediate = Teardown(steps: [Step(after: .zero, signal: SIGKILL, target: .tree)])

    /// Takes the steps. The caller cancels the task when `leader` and every process below it are gone.
    /// `leader` is the running child; nil between two. `isSaving` may block on the volume. Steps count from `start`.
    func run(
        on leader: pid_t?, from start: ContinuousClock.Instant = .now,
        isSaving: @escaping @Sendable () -> Bool = { false }, note: @escaping Note = { _, _ in }
    ) async {
        for (index, step) in steps.enumerated() {
            do { try await Task.sleep(until: start + step.after) } catch { return }
            switch (step.target, step.signal) {
            case (.training, let signal):
                let end = index + 1 < steps.count ? start + steps[index + 1].after : start
                if signal == SIGABRT, await StackDump.take(until: end, note: { note(step, $0) }) { continue }
                if let leader {
                    await Self.take(step, on: leader, until: end, sparing: step.sparesSave ? isSaving : nil, note)
                }
            case (.tree, SIGKILL):
                var isFirst = true
                while !Task.isCancelled, case let found = ProcessTree.killAll(), found > 0 {
                    if isFirst { note(step, found) }
                    isFirst = false
                    try? await Task.sleep(for: .milliseconds(20))
                }
            case (.tree, let signal):
                if case let found = ProcessTree.signal(signal), found > 0 { note(step, found) }
            }
        }
    }

    /// Signals the training, and until `end` also each process that a shell starts in its place. A shell that continues
    /// after processes which died of the signal, such as one with a loop, gets it too.
    private static func take(
        _ step: Step, on leader: pid_t, until end: ContinuousClock.Instant, sparing isSaving: (@Sendable () -> Bool)?,
        _ note: Note
    ) async {
        var signalled: Set<pid_t> = []
        repeat {
            let (pids, catchIt) = recipients(below: leader)
            let isSpared = catchIt ? false : await answer(isSaving, until: end)
            let all = catchIt || signalled.isEmpty || pids.allSatisfy(signalled.contains) ? pids : pids + [leader]
            if !isSpared, case let new = all.filter({ signalled.insert($0).inserted }), !new.isEmpty {
                for pid in new { kill(pid, step.signal) }
                var step = step
                step.isCaught = catchIt
                note(step, new.count)
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        } while ContinuousClock.now < end
    }

    /// Returns whether a save is under way. On a volume that hangs it returns true at `end`, because a save may hang
    /// there too.
    private static func answer(_ isSaving: (@Sendable () -> Bool)?, until end: ContinuousClock.Instant) async -> Bool {
        guard let isSaving else { return false }
        do { return try await DedicatedThread.run(within: end - .now, isSaving) ?? true } catch { return false }
    }

    /// Returns the processes that get SIGTERM: the first ones on each path down from `leader` that catch it. A shell
    /// that waits would die of the signal and leave the training running. `tee` would close the pipe that the training
    /// still prints to. If no process catches SIGTERM, they are the children of a shell, or else `leader` itself.
    ///
    /// Forks that are part of a process are left out. The workers of a torch DataLoader catch SIGTERM, but the process
    /// that they feed does not. It would die when they exit, even in the middle of a save.
    private static func recipients(below leader: pid_t) -> (pids: [pid_t], catchIt: Bool) {
        guard let root = ProcessStat(pid: leader) else { return ([], true) }
        let children = Dictionary(grouping: ProcessStat.all().filter { !$0.isZombie }, by: \.parent)
        var catching: [pid_t] = []
        var pending = [(process: root, isPart: false)]
        while let (process, isPart) = pending.popLast() {
            if !isPart && ProcessSignals(of: process.pid)?.catches(SIGTERM) == true {
                catching.append(process.pid)
            } else {
                pending += (children[process.pid] ?? []).map { ($0, $0.isFork(of: process)) }
            }
        }
        if !catching.isEmpty { return (catching, true) }
        let run = (children[leader] ?? []).map(\.pid)
        return (isShell(leader) && !run.isEmpty ? run : [leader], false)
    }

    private static func isShell(_ pid: pid_t) -> Bool {
        guard let name = try? File.read("/proc/\(pid)/comm").text.trimmed else { return false }
        return ["sh", "bash", "dash"].contains(name)
    }
}
