internal import Glibc
internal import Shared

/// How a training is told to end: steps in order of time, the last of which nothing survives.
struct Teardown: Sendable, Equatable {
    struct Step: Sendable, Equatable {
        /// Counted from the start of the teardown.
        var after: Duration
        var signal: Int32
        var target: Target
        /// A training that does not catch SIGTERM is not sent it while a save is under way, until the next step at the latest.
        var sparesSave = false
    }

    typealias Target = TeardownReport.Target

    /// A signal that was sent, and to how many processes.
    typealias Note = @Sendable (_ step: Step, _ processes: Int) -> Void

    var steps: [Step]

    /// From the start to the kill.
    var length: Duration { steps.last?.after ?? .zero }

    /// How long the training itself is left alone after it was told: until the step that reaches all.
    var grace: Duration { steps.first { $0.target == .tree }?.after ?? .zero }

    /// So long that somebody wonders.
    var isPatient: Bool { self == .graceful(grace: grace) }

    /// For a SIGTERM to the pod, of whose 5 s `init` leaves 3.8.
    static let fast = Teardown(steps: [
        Step(after: .zero, signal: SIGTERM, target: .training, sparesSave: true),
        Step(after: .milliseconds(3000), signal: SIGTERM, target: .tree),
        Step(after: .milliseconds(3300), signal: SIGKILL, target: .tree),
    ])

    /// For a training that stands still: with PYTHONFAULTHANDLER Python prints where each thread is, then dies.
    static let dump = Teardown(steps: [
        Step(after: .zero, signal: SIGABRT, target: .training),
        Step(after: .seconds(5), signal: SIGTERM, target: .tree),
        Step(after: .seconds(10), signal: SIGKILL, target: .tree),
    ])

    /// For a user who asks: `grace` to save and end, and a little more for what the training leaves behind.
    static func graceful(grace: Duration = .seconds(StopRequest.usualPatience)) -> Teardown {
        Teardown(steps: [
            Step(after: .zero, signal: SIGTERM, target: .training, sparesSave: true),
            Step(after: grace, signal: SIGTERM, target: .tree),
            Step(after: grace + .seconds(5), signal: SIGKILL, target: .tree),
        ])
    }

    init(_ request: StopRequest) {
        switch request.mode {
        case .graceful: self = .graceful(grace: .seconds(request.patience ?? StopRequest.usualPatience))
        case .now: self = .fast
        }
    }

    init(steps: [Step]) { self.steps = steps }

    static let immediate = Teardown(steps: [Step(after: .zero, signal: SIGKILL, target: .tree)])

    /// Takes the steps until the task is cancelled, which is the caller's part once `leader` and all below it are gone.
    /// `leader` is the running child, if there is one; `isSaving` may take as long as its volume. Steps count from `start`.
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

    /// Signals the training, and what a shell starts in its place afterwards, until `end`.
    private static func take(
        _ step: Step, on leader: pid_t, until end: ContinuousClock.Instant, sparing isSaving: (@Sendable () -> Bool)?,
        _ note: Note
    ) async {
        var told: Set<pid_t> = []
        repeat {
            let (pids, catchIt) = recipients(below: leader)
            let isSpared = catchIt ? false : await answer(isSaving, until: end)
            if !isSpared, case let new = pids.filter({ told.insert($0).inserted }), !new.isEmpty {
                for pid in new { kill(pid, step.signal) }
                note(step, new.count)
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
        } while ContinuousClock.now < end
    }

    /// What `isSaving` says; on a volume that hangs, true until `end`: something may be on its way there.
    private static func answer(_ isSaving: (@Sendable () -> Bool)?, until end: ContinuousClock.Instant) async -> Bool {
        guard let isSaving else { return false }
        do { return try await DedicatedThread.run(within: end - .now, isSaving) ?? true } catch { return false }
    }

    /// Who is to be told to end: the processes that catch SIGTERM, as near to `leader` as they are. A shell that waits would die
    /// of the signal and leave the training alone, and `tee` would take away the pipe that the training still prints into.
    /// Where nobody catches it: what a shell runs, or `leader` itself.
    ///
    /// What a process forks and keeps as a part of itself is left to it. The workers of a torch DataLoader catch SIGTERM, the process
    /// that they feed does not, and it dies of their end, in the middle of a save too.
    private static func recipients(below leader: pid_t) -> (pids: [pid_t], catchIt: Bool) {
        guard let root = ProcessStat(pid: leader) else { return ([], true) }
        let children = Dictionary(grouping: ProcessStat.all().filter { !$0.isZombie }, by: \.parent)
        var catching: [pid_t] = []
        var pending = [(process: root, isPart: false)]
        while let (process, isPart) = pending.popLast() {
            if !isPart && SignalMask(ofProcess: process.pid)?.catches(SIGTERM) == true {
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
