internal import Glibc
internal import Shared

/// Follows a training that its command left in the background: `nohup python train.py > train.log &`.
///
/// Only processes that began shortly before the command ended count: the command cannot have waited for them. A monitor
/// that ran beside a training began earlier; what it starts is part of it. A daemon does not count either: it has left
/// the command's session, and the leader of its own session has ended, daemon(7).
struct BackgroundTraining: Sendable {
    enum End: Sendable, Equatable {
        /// The command left no such process, or only some that ended at once.
        case none
        /// All of them have ended. The status is the first one that is not 0.
        case exit(ExitStatus)
        /// They neither print, save nor compute. The texts are their command lines.
        case idle([String])
    }

    let children: Children
    /// The session of the command.
    let session: pid_t?
    var idleLimit: Duration = .seconds(10)
    private let pause: Duration = .milliseconds(200)

    /// Time before the end of the command in which a training in the background begins.
    private static let window: Duration = .seconds(5)

    /// Call it right after the command has ended. `began` gets the command lines once one of the processes works, and
    /// `lead` the process that represents the training.
    func follow(
        began: ([String]) -> Void, lead: (pid_t) -> Void, isCalledOff: @Sendable () -> Bool
    ) async -> End {
        let start = Self.ticksAfterBoot() - Int(Self.window.inSeconds * Double(Self.ticksPerSecond))
        guard let first = recent(since: start).first else { return .none }
        lead(first.pid)
        var orphans: [pid_t: Promise<ExitStatus>] = [:]
        var work = WorkMeter()
        var idleSince = ContinuousClock.now
        var isFollowed = false
        while case let left = recent(since: start), !left.isEmpty {
            for process in left where process.parent == getpid() && orphans[process.pid] == nil {
                orphans[process.pid] = children.adopt(process.pid)
            }
            if work.hasGrown(in: left) {
                idleSince = .now
                if !isFollowed { began(left.map(ProcessScan.command)) }
                isFollowed = true
            } else if idleSince.duration(to: .now) > idleLimit && !isCalledOff() {
                return .idle(left.map(ProcessScan.command))
            }
            try? await Task.sleep(for: pause)
        }
        return isFollowed ? .exit(await status(of: orphans.values)) : .none
    }

    /// Returns the processes that began at `start` or later, in clock ticks after boot. Daemons and the children of
    /// earlier processes are left out.
    private func recent(since start: Int) -> [ProcessStat] {
        var others: Set<pid_t> = []
        return ProcessTree.running.filter { process in
            let isRecent = process.started >= start && !isDaemon(process) && !others.contains(process.parent)
            if !isRecent { others.insert(process.pid) }
            return isRecent
        }
    }

    private func isDaemon(_ process: ProcessStat) -> Bool {
        process.session != session && !ProcessStat.isRunning(process.session)
    }

    private func status(of orphans: some Sequence<Promise<ExitStatus>>) async -> ExitStatus {
        for orphan in orphans {
            // The exit of a process that has ended is fetched within moments.
            if let exit = await orphan.value(within: .seconds(1)), exit != .code(0) { return exit }
        }
        return .code(0)
    }

    private static let ticksPerSecond = sysconf(Int32(_SC_CLK_TCK))

    private static func ticksAfterBoot() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec * ticksPerSecond + time.tv_nsec / (1_000_000_000 / ticksPerSecond)
    }
}

/// Measures whether processes print, save or compute.
private struct WorkMeter {
    private var written: [pid_t: Int] = [:]
    private var computed: [pid_t: Int] = [:]
    /// Processor time that all processes together have used since `hasGrown` last returned true, in clock ticks.
    private var ticks = 0

    /// A process that only waits wakes up now and then: so little time, in clock ticks, is no work.
    private static let minTicks = 20

    /// Returns whether one of the processes has written since the last call, or all of them together have computed for
    /// a while.
    mutating func hasGrown(in processes: [ProcessStat]) -> Bool {
        var grew = false
        for process in processes {
            let bytes = Self.bytesWritten(by: process.pid)
            grew = grew || bytes > written[process.pid, default: bytes]
            written[process.pid] = bytes
            let time = process.ticksComputed
            ticks += max(0, time - computed[process.pid, default: time])
            computed[process.pid] = time
        }
        grew = grew || ticks >= Self.minTicks
        if grew { ticks = 0 }
        return grew
    }

    /// Bytes of all its calls of write, proc_pid_io(5).
    private static func bytesWritten(by pid: pid_t) -> Int {
        guard let text = try? File.read("/proc/\(pid)/io").text,
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("wchar:") })
        else { return 0 }
        return Int(line.dropFirst("wchar:".count).trimmed) ?? 0
    }
}
