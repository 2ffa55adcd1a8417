import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// Whatever happens to the connections, the follower's bytes are the log's.
@Suite(.timeLimit(.minutes(1))) struct FollowerPropertyTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
    }

    @Test(arguments: 1...12) func stitchesExactly(seed: UInt64) async throws {
        let dice = Mutex(Dice(seed: seed))
        let log = dice.withLock { dice in
            (0..<dice.roll(1...60_000)).map { _ in UInt8.random(in: 0...255, using: &dice) }
        }
        let servedByVolume = dice.withLock { $0.roll(0...log.count / 4) }
        let end = log.count - servedByVolume
        let claim = try run.claim()
        try run.record(claim)
        try run.log(log)

        let answer: @Sendable (StubAgent.Asked, StubConnection) throws -> Void = { [test, run] asked, connection in
            let (kind, to, size) = dice.withLock { dice in
                (dice.roll(0...5), dice.roll(asked.from...max(asked.from, end)), dice.roll(1...20_000))
            }
            let isLast = to == end || asked.from >= end
            let ending = StubAgent.Answer.End.allCases[kind % 3]
            let answer: StubAgent.Answer =
                switch kind {
                case 0 where !isLast: .silence
                case 1 where !isLast: .error(APIError(.unavailable, "busy"))
                default:
                    .log(log, to: to, ending, size: size) {
                        guard isLast else { return }
                        try run.end(claim, .finished)
                        test.provider.kill("pod-1")
                    }
                }
            try answer.give(asked, connection)
        }
        // Two addresses of the same pod; it moves now and then.
        let agents = [try StubAgent(answer), try StubAgent(answer)]
        let addresses = agents.map(\.address)
        for poll in stride(from: 3, through: 60, by: 3) {
            test.provider.atPoll(poll) { [provider = test.provider] in
                provider.move("pod-1", to: addresses[poll % 2])
            }
        }
        test.provider.add(.made(run: run, address: addresses[0]))

        var follower = Follower(try await test.view(run), from: 0, world: test.world)
        let view = try await follower.follow()
        #expect(test.recording.bytes == log, "\(test.recording.bytes.count) bytes of \(log.count)")
        #expect(follower.offset == log.count)
        #expect(view.state == .ended(.finished))
        #expect(test.errors == "")
        withExtendedLifetime(agents) {}
    }
}

/// Random numbers that come again with the same seed: SplitMix64.
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
