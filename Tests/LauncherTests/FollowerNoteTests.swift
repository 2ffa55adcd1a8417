import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Launcher

/// The follower's notes about an agent that does not answer.
@Suite(.timeLimit(.minutes(1))) struct FollowerNoteTests {
    private let test: TestWorld
    private let run: RunFixture
    private let claim: Claim
    private let log = Array("0123456789".utf8)
    private let busy = StubAgent.Answer.error(APIError(.unavailable, "busy"))

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
        claim = try run.claim()
        try run.record(claim)
    }

    private func follow(_ answers: [StubAgent.Answer], timeout: Duration) async throws {
        let last = StubAgent.Answer.log(log) { [test, run, claim] in
            try run.end(claim, .finished)
            test.provider.kill("pod-1")
        }
        let agent = try StubAgent(answers + [last])
        test.provider.add(.made(run: run, address: agent.address))
        var follower = try await test.follower(run)
        follower.outage = Outage(timeout: timeout)
        _ = try await follower.follow()
        #expect(test.output == "0123456789")
    }

    @Test("the follower notes once that the agent does not answer and once that it answers again")
    func notes() async throws {
        try await follow(Array(repeating: busy, count: 6), timeout: .milliseconds(100))
        #expect(
            test.errors == """
                launch: the agent does not answer (busy); still trying
                launch: the agent answers again

                """)
    }

    @Test("the follower does not note a short outage of the agent")
    func shortOutage() async throws {
        try await follow(Array(repeating: busy, count: 4), timeout: .seconds(60))
        #expect(test.errors == "")
    }

    @Test("the follower times each outage of the agent on its own")
    func separateOutages() async throws {
        let five = Array(repeating: busy, count: 5)
        // Five tries take 1.2 s. One outage is shorter than the limit, two together are longer.
        try await follow(five + [.log(log, to: 4, .cut)] + five, timeout: .milliseconds(2_400))
        #expect(test.errors == "")
    }
}
