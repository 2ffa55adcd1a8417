import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

/// The agent dies at a system call, or gets an error from it: for each that it makes on the volume.
///
/// The short form takes a few of them. `make torture` takes all.
@Suite(.serialized, .timeLimit(.minutes(30))) struct TortureTests {
    private static let isFull = ProcessEnvironment.all["TORTURE"] == "full"
    private static let strace =
        (try? Command.run(TortureCall.strace + ["-o", "/dev/null", "true"]).code) == 0
    /// Points at a time.
    private static let width = 3
    private static let kill = "signal=KILL"

    private struct Point: Sendable, CustomStringConvertible {
        var call: TortureCall
        var fault: String
        /// The call is one of the attempt that follows one that died.
        var isSecond = false
        var description: String { "\(fault) at \(call)\(isSecond ? " of a second attempt" : "")" }
    }

    @Test(.enabled(if: strace, "strace is not there, or may not trace")) func everyCallOfTheAgent() async throws {
        let calls = try await Self.trace()
        #expect(calls.count > 30, "\(calls)")
        var points = Self.isFull ? Self.all(calls) : Self.few(calls)
        if Self.isFull {
            let second = Self.all(try await Self.trace(isSecond: true)).map { point in
                var point = point
                point.isSecond = true
                return point
            }
            // The segment's name is another each time, and its calls are as in any attempt.
            points += second.filter { !$0.call.path.hasSuffix("-a0002.log") }
        }
        let clock = ContinuousClock()
        let start = clock.now
        let missed = Mutex<[String]>([])
        let failed = Mutex<[String]>([])
        await Self.each(points) { point in
            do {
                if try await !Self.torture(point) { missed.withLock { $0.append("\(point)") } }
            } catch {
                failed.withLock { $0.append("\(point): \(error)") }
            }
        }
        let failures = failed.withLock(\.self)
        print("torture: \(points.count) points at \(calls.count) calls in \(clock.now - start)")
        print("torture: not met again: \(missed.withLock(\.self))")
        print("torture: \(failures.count) failures\n\(failures.sorted().joined(separator: "\n"))")
        #expect(failures == [])
        #expect(missed.withLock(\.count) * 5 <= points.count, "\(missed.withLock(\.self))")
    }

    /// The calls of a run that nothing disturbs.
    private static func trace(isSecond: Bool = false) async throws -> [TortureCall] {
        let calls = Mutex<[TortureCall]>([])
        try await Site.with { site in
            let training = try TortureTraining(at: site)
            if isSecond { try await dieInTraining(training) }
            let output = "\(site.root)/trace"
            let names = TortureCall.names.joined(separator: ",")
            try await training.start(under: TortureCall.strace + ["-o", output, "-e", "trace=\(names)"]).check()
            let trace = TortureTrace(try File.read(output).text, volume: training.agent.spec.volume)
            calls.withLock { $0 = trace.calls }
        }
        return calls.withLock(\.self)
    }

    /// A first attempt that dies while it trains.
    private static func dieInTraining(_ training: TortureTraining) async throws {
        let call = TortureCall(
            name: "write", path: "runs/torture/logs/\(String(0, width: 20))-a0001.log", occurrence: 20)
        let tracer = call.tracer(kill, volume: training.agent.spec.volume, output: "\(training.site.root)/first")
        let code = try await training.start(under: tracer).end()
        if code != 128 + SIGKILL { throw TortureFinding("the first attempt did not die but ended with \(code)") }
    }

    /// Kills at every call, errors at the first and the last of each kind. Of the many writes to the log some do.
    private static func all(_ calls: [TortureCall]) -> [Point] {
        var points: [Point] = []
        for (_, kind) in Dictionary(grouping: calls, by: { "\($0.name) \($0.path)" }).sorted(by: { $0.key < $1.key }) {
            let stride = max(1, kind.count / 12)
            for (index, call) in kind.enumerated() {
                let isEdge = index == 0 || index == kind.count - 1
                if isEdge || index % stride == 0 { points.append(Point(call: call, fault: kill)) }
                // Elsewhere such a count would meet the writes by which threads wake each other.
                let isExact = call.occurrenceInThread == nil || call.name != "write"
                if isEdge && isExact {
                    points += ["ENOSPC", "EDQUOT", "EIO"].map { Point(call: call, fault: "error=\($0)") }
                }
            }
        }
        return points
    }

    /// Those where the most depends on the order. How many records a run writes differs; four there always are.
    private static func few(_ calls: [TortureCall]) -> [Point] {
        func points(_ name: String, _ suffix: String, _ fault: String, first: Bool = false) -> [Point] {
            let found = calls.filter { $0.name == name && $0.path.hasSuffix(suffix) }
            return (first ? found.first : found.last { $0.occurrence <= 4 }).map { [Point(call: $0, fault: fault)] }
                ?? []
        }
        return points("link", ".claim.aside", kill) + points("rename", "code.json.new", kill)
            + points("rename", "0001.json.new", kill) + points("write", "0001.json.new", "error=ENOSPC")
            + points("fsync", "0001.json.new", "error=EIO") + points("fdatasync", "-a0001.log", kill)
            + points("write", "-a0001.log", "error=EDQUOT", first: true)
            + points("write", "run.json.new", "error=ENOSPC")
            + points("unlink", "0001.reserve", kill)
    }

    /// False where the run did not come to that call this time.
    private static func torture(_ point: Point) async throws -> Bool {
        let wasMet = Mutex(false)
        var finding: (any Error)?
        try await Site.with { site in
            do {
                let training = try TortureTraining(at: site)
                if point.isSecond { try await dieInTraining(training) }
                let output = "\(site.root)/trace"
                let tracer = point.call.tracer(point.fault, volume: training.agent.spec.volume, output: output)
                let run = try training.start(under: tracer)
                let code = try await run.end()
                _ = await site.killAll()
                let isKill = point.fault == kill
                let isMet = isKill ? code == 128 + SIGKILL : try File.read(output).text.contains("(INJECTED)")
                wasMet.withLock { $0 = isMet }
                if File.exists(training.agent.folder.path) { try training.checkFiles() }
                let before = try training.state
                let isFinished = before.latest?.state == .ended && before.latest?.outcome?.kind == .finished
                if !isKill {
                    if code == 0 && !isFinished { throw TortureFinding("exit code 0, and it did not finish") }
                    let isTold = !run.errors.isEmpty || before.log.text.contains("SETUP-FAILED")
                    if code != 0 && !isTold { throw TortureFinding("exit code \(code), and no word why") }
                }
                try await training.recover(from: before, mayHaveGivenUp: !isKill, losesMemory: isKill || point.isSecond)
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
        return wasMet.withLock(\.self)
    }

    private static func each(_ points: [Point], _ body: @escaping @Sendable (Point) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, point) in points.enumerated() {
                if index >= width { await group.next() }
                group.addTask { await body(point) }
            }
        }
    }
}
