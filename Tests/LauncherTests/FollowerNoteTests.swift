import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Launcher

/// How loud a follower is about an agent that does not answer. These wait as long as a person would.
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

    private func follow(_ answers: [StubAgent.Answer]) async throws {
        let last = StubAgent.Answer.log(log) { [test, run, claim] in
            try run.end(claim, .finished)
            test.provider.kill("pod-1")
        }
        let agent = try StubAgent(answers + [last])
        test.provider.add(.made(run: run, address: agent.address))
        var follower = Follower(try await test.view(run), from: 0, world: test.world)
        _ = try await follower.follow()
        #expect(test.output == "0123456789")
    }

    @Test func saysOnceThatItIsStillTrying() async throws {
        try await follow(Array(repeating: busy, count: 9))
        #expect(test.errors == "launch: the agent does not answer (busy); still trying\n")
    }

    @Test func bytesStartTheCountAnew() async throws {
        let five = Array(repeating: busy, count: 5)
        try await follow(five + [.log(log, to: 4, .cut)] + five)
        #expect(test.errors == "")
    }
}
