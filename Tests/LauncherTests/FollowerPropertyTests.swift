import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// The follower's bytes are those of the log, whatever happens to connections, pods and segments.
@Suite(.timeLimit(.minutes(1))) struct FollowerPropertyTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
    }

    @Test(
        "the follower gets exactly the log through random cuts, losses, sleeps and moves of the pod",
        arguments: 1...16)
    func randomEvents(seed: UInt64) async throws {
        let truth = Mutex(try Truth(seed: seed, run: run))
        let slept = Mutex(Duration.zero)
        let answer: @Sendable (StubAgent.Asked, StubConnection) throws -> Void = {
            [provider = test.provider] asked, connection in
            let reply = try truth.withLock { truth in
                try truth.happens()
                return try truth.reply(to: asked)
            }
            switch reply {
            case .answer(let answer): try answer.give(asked, connection)
            case .sleep(let answer):
                // Part of an answer. The connection stays open while the machine sleeps.
                try answer.give(asked, connection)
                slept.withLock { $0 += .seconds(60) }
                try connection.waitForClose()
            case .last(let answer):
                try answer {
                    try truth.withLock { try $0.end() }
                    provider.kill("pod-1")
                }.give(asked, connection)
            }
        }
        // The pod moves between two addresses.
        let agents = [try StubAgent(answer), try StubAgent(answer)]
        let addresses = agents.map(\.address)
        for poll in stride(from: 3, through: 60, by: 3) {
            test.provider.atPoll(poll) { [provider = test.provider] in
                provider.move("pod-1", to: addresses[poll % 2])
            }
        }
        test.provider.add(.made(run: run, address: addresses[0]))

        let copy = CheckedOutput()
        var follower = Follower(try await test.view(run), from: 0, into: copy, world: test.world)
        follower.sleepWatch.interval = .milliseconds(5)
        follower.sleepWatch.now = { .now + slept.withLock { $0 } }
        let view = try await follower.follow()
        let log = truth.withLock { $0.log }
        copy.check(against: log)
        #expect(follower.offset == log.count)
        #expect(view.state == .ended(.finished))
        withExtendedLifetime(agents) {}
    }
}

/// The true log. A power loss shortens it, and retention removes its beginning.
private struct Truth {
    enum Reply {
        case answer(StubAgent.Answer)
        case sleep(StubAgent.Answer)
        /// The agent does something before the response ends.
        case last((@escaping @Sendable () throws -> Void) -> StubAgent.Answer)
    }

    private(set) var log: [UInt8] = []
    private var firstKept = 0
    private var claims: [Claim] = []
    private var dice: Dice
    private let run: RunFixture
    private var requests = 0

    init(seed: UInt64, run: RunFixture) throws {
        self.run = run
        dice = Dice(seed: seed)
        try restart(at: 0)
    }

    private mutating func restart(at offset: Int) throws {
        log.removeLast(log.count - offset)
        claims.append(try run.claim(claims.count + 1, logStart: offset))
        try grow()
    }

    private mutating func grow() throws {
        log += (0..<dice.roll(0...8_000)).map { _ in UInt8.random(in: 0...255, using: &dice) }
    }

    mutating func happens() throws {
        requests += 1
        switch dice.roll(0...9) {
        case 0: try restart(at: log.count)
        case 1, 2: try restart(at: dice.roll(max(firstKept, log.count - 3_000)...log.count))
        case 3: firstKept = dice.roll(firstKept...log.count)
        default: try grow()
        }
    }

    mutating func reply(to asked: StubAgent.Asked) throws -> Reply {
        let later = asked.stream.flatMap { stream in claims.firstIndex { $0.stream == stream } }.map {
            claims[($0 + 1)...]
        }
        if let cut = later?.map(\.logStart).min(), cut < asked.from {
            return .answer(.error(APIError(.conflict, "cut"), headers: [(APIHeader.logOffset, "\(cut)")]))
        }
        if asked.from < firstKept {
            return .answer(.error(APIError(.gone, "dropped"), headers: [(APIHeader.logOffset, "\(firstKept)")]))
        }
        guard asked.from <= log.count else { return .answer(.error(APIError(.rangeNotSatisfiable, "beyond"))) }
        let (to, size) = (dice.roll(asked.from...log.count), dice.roll(1...20_000))
        let ending = StubAgent.Answer.End.all[dice.roll(0...2)]
        let stream = claims.last?.stream ?? ""
        if requests >= 25 {
            return .last { [log] in .log(log, to: to, stream: stream, ending, size: size, then: $0) }
        }
        switch dice.roll(0...7) {
        case 0: return .answer(.silence)
        case 1: return .answer(.error(APIError(.unavailable, "busy")))
        case 2: return .sleep(.log(log, to: to, stream: stream, .open, size: size))
        default: return .answer(.log(log, to: to, stream: stream, ending, size: size))
        }
    }

    /// Ends the run with its whole log on the volume. One more event may come first.
    mutating func end() throws {
        if dice.roll(0...1) == 0 { try happens() }
        try run.log(log[firstKept...], from: firstKept)
        try run.end(claims[claims.count - 1], .finished)
    }
}

/// Records the log's bytes. Each write must begin where the last one ended.
private final class CheckedOutput: LogOutput {
    /// nil for a byte that was removed from the log before it was read.
    private let bytes = Mutex<[UInt8?]>([])

    func write(_ new: [UInt8], at offset: Int) {
        bytes.withLock {
            #expect(offset == $0.count)
            $0 += new
        }
    }

    func lose(_ lost: Range<Int>) -> String {
        bytes.withLock {
            #expect(!lost.isEmpty && lost.upperBound == $0.count)
            $0.removeLast(lost.count)
        }
        return "lost"
    }

    func skip(_ missing: Range<Int>) -> String {
        bytes.withLock {
            #expect(!missing.isEmpty && missing.lowerBound == $0.count)
            $0 += missing.map { _ in nil }
        }
        return "missing"
    }

    func check(against log: [UInt8]) {
        bytes.withLock { bytes in
            #expect(bytes.count == log.count)
            let wrong = zip(bytes, log).enumerated().first { $0.1.0 != nil && $0.1.0 != $0.1.1 }
            #expect(wrong == nil, "byte \(wrong?.offset ?? 0) of \(log.count)")
        }
    }
}

/// SplitMix64: the same seed gives the same numbers.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func roll(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
