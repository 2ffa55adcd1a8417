import Shared
import Synchronization
import TestSupport
import Testing

/// The agent is killed at a system call on its volume, or the call fails or is late.
///
/// `make torture` tries all calls, other runs try a few.
///
/// Errors of writes to the staging file of a claim are left out. Its name is random, so strace finds these writes only
/// by their number in the thread, among writes to eventfds. An error of an eventfd, which no kernel gives, stops a
/// program for ever. `TortureFullVolumeTests` gets such errors from a full disk.
@Suite("faults at the agent's system calls on its volume", .serialized, .timeLimit(.minutes(30)))
struct TortureTests {
    @Test(
        "a restart finishes the run after the agent was killed, or got an error, at a system call on its volume",
        .enabled(if: Torture.isAvailable, Torture.reason))
    func calls() async throws {
        let calls = try await Self.trace()
        #expect(calls.count > 30, "\(calls)")
        var points = Torture.isFull ? Self.all(calls) : Self.few(calls)
        if Torture.isFull { points += Self.all(try await Self.trace(isSecond: true), isSecond: true) }
        try await Self.torture("calls", points, width: 3)
    }

    /// The agent keeps little of the log, so it soon removes sealed segments.
    @Test(
        "a restart finishes the run after a kill or an error at the removal of an old log segment",
        .enabled(if: Torture.isAvailable, Torture.reason))
    func removals() async throws {
        let removals = try await Self.trace(isSecond: true, keep: 300)
            .filter { $0.name == "unlink" && $0.path.hasSuffix(".log.gz") }
        #expect(removals.count > 1, "\(removals)")
        let points = removals.flatMap { call in
            [.kill, .error("EIO", lasting: false), .error("EIO", lasting: true)]
                .map { TorturePoint(call: call, fault: $0, isSecond: true, keep: 300) }
        }
        try await Self.torture("removals", points, width: 3)
    }

    @Test(
        "a restart finishes the run after the volume has refused all calls of one kind on a file",
        .enabled(if: Torture.isAvailable, Torture.reason))
    func lastingErrors() async throws {
        let points = Self.kinds(try await Self.trace()).filter(\.[0].hasPlace).flatMap { kind -> [TorturePoint] in
            guard Torture.isFull else {
                let call = kind[0]
                return call.path.hasSuffix(Self.firstSegment) && ["pwrite64", "fdatasync"].contains(call.name)
                    ? [TorturePoint(call: call, fault: .error("ENOSPC", lasting: true))] : []
            }
            return Set([kind[0], kind[kind.count / 2]]).flatMap { call in
                TortureFault.errors.map { TorturePoint(call: call, fault: .error($0, lasting: true)) }
            }
        }
        // Many run at once, because an agent whose record the volume refuses waits for a minute.
        try await Self.torture("errors that last", points, width: 24)
    }

    @Test("the run finishes although calls on its volume are late", .enabled(if: Torture.isAvailable, Torture.reason))
    func lateCalls() async throws {
        let kinds = Self.kinds(try await Self.trace())
        var points = kinds.filter { $0[0].hasPlace && (Torture.isFull || $0[0].path.hasSuffix("0001.json.new")) }
            .map { TorturePoint(call: $0[0], fault: .delay(milliseconds: 150, lasting: true)) }
        if Torture.isFull {
            // So late that the volume counts as hung, and the agent checks whether it still owns the run.
            points += kinds.filter(\.[0].takesErrors).map { kind in
                TorturePoint(call: kind[kind.count / 2], fault: .delay(milliseconds: 11_000, lasting: false))
            }
        }
        try await Self.torture("late calls", points, width: 12)
    }

    /// Tries the points, `width` at a time.
    private static func torture(_ name: String, _ points: [TorturePoint], width: Int) async throws {
        let start = ContinuousClock.now
        let missed = Mutex<[String]>([])
        let failed = Mutex<[String]>([])
        await Torture.each(points, width: width) { point in
            do {
                if try await !point.torture() { missed.withLock { $0.append("\(point)") } }
            } catch {
                failed.withLock { $0.append("\(point): \(error)") }
            }
        }
        let failures = failed.withLock(\.self)
        print("torture: \(name): \(points.count) points in \(ContinuousClock.now - start), \(failures.count) failures")
        print("torture: not met again: \(missed.withLock(\.self))\n\(failures.sorted().joined(separator: "\n"))")
        #expect(!points.isEmpty)
        #expect(failures == [])
        #expect(missed.withLock(\.count) * 5 <= points.count, "\(missed.withLock(\.self))")
    }

    // MARK: Points

    /// The first log segment has the same name in all runs. The others begin where the agent happened to cut.
    private static let firstSegment = "/00000000000000000000-a0001.log"

    /// The calls of an undisturbed run.
    private static func trace(isSecond: Bool = false, keep: Int = 1 << 20) async throws -> [TortureCall] {
        let calls = Mutex<[TortureCall]>([])
        try await Site.with { site in
            let training = try TortureTraining(at: site, keep: keep)
            if isSecond { try await training.dieInTraining() }
            let output = "\(site.root)/trace"
            let names = TortureCall.names.joined(separator: ",")
            try await training.start(under: TortureCall.strace + ["-o", output, "-e", "trace=\(names)"]).check()
            let trace = TortureTrace(try File.read(output).text, volume: training.agent.spec.volume)
            // A second attempt's segment has another name each time. Its calls are those of any attempt.
            calls.withLock { $0 = trace.calls.filter { !$0.path.hasSuffix("-a0002.log") } }
        }
        return calls.withLock(\.self)
    }

    /// Groups the calls by name and file.
    private static func kinds(_ calls: [TortureCall]) -> [[TortureCall]] {
        Dictionary(grouping: calls, by: { "\($0.name) \($0.path)" }).sorted { $0.key < $1.key }.map(\.value)
    }

    /// Kills at up to 24 calls of each kind. Errors at the first and last call of each kind.
    private static func all(_ calls: [TortureCall], isSecond: Bool = false) -> [TorturePoint] {
        var points: [TorturePoint] = []
        for kind in kinds(calls) {
            let stride = max(1, kind.count / 12)
            for (index, call) in kind.enumerated() {
                let isEdge = index == 0 || index == kind.count - 1
                if isEdge || index % stride == 0 {
                    points.append(TorturePoint(call: call, fault: .kill, isSecond: isSecond))
                }
                if isEdge && call.takesErrors {
                    points += TortureFault.errors.map {
                        TorturePoint(call: call, fault: .error($0, lasting: false), isSecond: isSecond)
                    }
                }
            }
        }
        return points
    }

    /// The calls whose order matters most. The number of records differs from run to run, but four are always there.
    private static func few(_ calls: [TortureCall]) -> [TorturePoint] {
        func points(_ name: String, _ suffix: String, _ fault: TortureFault, first: Bool = false) -> [TorturePoint] {
            let found = calls.filter { $0.name == name && $0.path.hasSuffix(suffix) }
            guard let call = first ? found.first : found.last(where: { $0.occurrence <= 4 }) else {
                Issue.record("no \(name) of \(suffix) is made any more")
                return []
            }
            return [TorturePoint(call: call, fault: fault)]
        }
        func error(_ name: String) -> TortureFault { .error(name, lasting: false) }
        return points("link", ".claim.aside", .kill) + points("rename", "code.json.new", .kill)
            + points("rename", "0001.json.new", .kill) + points("write", "0001.json.new", error("ENOSPC"))
            + points("fsync", "0001.json.new", error("EIO")) + points("fdatasync", "-a0001.log", .kill)
            + points("pwrite64", "-a0001.log", error("EDQUOT"), first: true)
            + points("write", "run.json.new", error("ENOSPC"))
            + points("unlink", "0001.reserve", .kill)
    }
}
