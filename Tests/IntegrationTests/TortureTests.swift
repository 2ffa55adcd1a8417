import Shared
import Synchronization
import TestSupport
import Testing

/// The agent dies at a system call, or gets an error from it, or a late answer: for each that it makes on the volume.
///
/// The short form takes a few of them. `make torture` takes all.
///
/// Left out are errors of the writes to a claim that is written aside under a random name. strace finds those only by their number in
/// their thread, where other threads write to each other's eventfd: an error there, which no kernel gives, stops a program for ever.
/// `TortureFullVolumeTests` has them from a disk that is full.
@Suite(.serialized, .timeLimit(.minutes(30))) struct TortureTests {
    @Test(.enabled(if: Torture.isThere, Torture.reason)) func everyCallOfTheAgent() async throws {
        let calls = try await Self.trace()
        #expect(calls.count > 30, "\(calls)")
        var points = Torture.isFull ? Self.all(calls) : Self.few(calls)
        if Torture.isFull { points += Self.all(try await Self.trace(isSecond: true), isSecond: true) }
        try await Self.torture("calls", points, width: 3)
    }

    /// Little is kept of the log, so that what was sealed is removed soon.
    @Test(.enabled(if: Torture.isThere, Torture.reason)) func removalOfTheOldest() async throws {
        let removals = try await Self.trace(isSecond: true, keep: 300)
            .filter { $0.name == "unlink" && $0.path.hasSuffix(".log.gz") }
        #expect(removals.count > 1, "\(removals)")
        let points = removals.flatMap { call in
            [.kill, .error("EIO", lasting: false), .error("EIO", lasting: true)]
                .map { TorturePoint(call: call, fault: $0, isSecond: true, keep: 300) }
        }
        try await Self.torture("removals", points, width: 3)
    }

    /// Of a volume that takes nothing any more.
    @Test(.enabled(if: Torture.isThere, Torture.reason)) func errorsThatLast() async throws {
        let points = Self.kinds(try await Self.trace()).filter(\.[0].hasPlace).flatMap { kind -> [TorturePoint] in
            guard Torture.isFull else {
                let call = kind[0]
                return call.path.hasSuffix("-a0001.log") && ["pwrite64", "fdatasync"].contains(call.name)
                    ? [TorturePoint(call: call, fault: .error("ENOSPC", lasting: true))] : []
            }
            return Set([kind[0], kind[kind.count / 2]]).flatMap { call in
                TortureFault.errors.map { TorturePoint(call: call, fault: .error($0, lasting: true)) }
            }
        }
        // Most of the time they wait: an agent whose record nobody takes does so for a minute.
        try await Self.torture("errors that last", points, width: 24)
    }

    @Test(.enabled(if: Torture.isThere, Torture.reason)) func callsThatReturnLate() async throws {
        let kinds = Self.kinds(try await Self.trace())
        var points = kinds.filter { $0[0].hasPlace && (Torture.isFull || $0[0].path.hasSuffix("0001.json.new")) }
            .map { TorturePoint(call: $0[0], fault: .delay(milliseconds: 150, lasting: true)) }
        if Torture.isFull {
            // Longer than the volume may take to count as hung, and the agent to ask whether it still owns the run.
            points += kinds.filter(\.[0].takesErrors).map { kind in
                TorturePoint(call: kind[kind.count / 2], fault: .delay(milliseconds: 11_000, lasting: false))
            }
        }
        try await Self.torture("late calls", points, width: 12)
    }

    /// Points, `width` at a time.
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

    /// The calls of a run that nothing disturbs.
    private static func trace(isSecond: Bool = false, keep: Int = 1 << 20) async throws -> [TortureCall] {
        let calls = Mutex<[TortureCall]>([])
        try await Site.with { site in
            let training = try TortureTraining(at: site, keep: keep)
            if isSecond { try await training.dieInTraining() }
            let output = "\(site.root)/trace"
            let names = TortureCall.names.joined(separator: ",")
            try await training.start(under: TortureCall.strace + ["-o", output, "-e", "trace=\(names)"]).check()
            let trace = TortureTrace(try File.read(output).text, volume: training.agent.spec.volume)
            // A second attempt's segment has another name each time, and its calls are as in any attempt.
            calls.withLock { $0 = trace.calls.filter { !$0.path.hasSuffix("-a0002.log") } }
        }
        return calls.withLock(\.self)
    }

    /// The calls by name and file.
    private static func kinds(_ calls: [TortureCall]) -> [[TortureCall]] {
        Dictionary(grouping: calls, by: { "\($0.name) \($0.path)" }).sorted { $0.key < $1.key }.map(\.value)
    }

    /// Kills at every call, errors at the first and the last of each kind. Of the many writes to the log some do.
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

    /// Those where the most depends on the order. How many records a run writes differs; four there always are.
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
