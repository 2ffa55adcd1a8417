import Glibc
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// Real connections to an agent whose responses the test prepares.
@Suite(.timeLimit(.minutes(1))) struct FollowerTests {
    private let test: TestWorld
    private let run: RunFixture
    private let claim: Claim
    private let log = Array("0123456789".utf8)

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
        claim = try run.claim()
        try run.record(claim)
        try run.log(log)
    }

    /// Follows the run on `agent`, from its first byte.
    private func follow(_ agent: StubAgent) async throws -> RunView {
        test.provider.add(.made(run: run, address: agent.address))
        var follower = try await test.follower(run)
        return try await follower.follow()
    }

    /// Ends the run and its pod.
    private var end: @Sendable () throws -> Void {
        { [test, run, claim] in
            try run.end(claim, .finished)
            test.provider.kill("pod-1")
        }
    }

    @Test("the follower requests the next byte after a connection was cut")
    func cutConnection() async throws {
        let agent = try StubAgent([.log(log, to: 4, .cut), .log(log, to: 7, .cut), .log(log, then: end)])
        let view = try await follow(agent)
        #expect(test.output == "0123456789")
        #expect(agent.asked == [.init(0), .init(4, "s1"), .init(7, "s1")])
        #expect(view.state == .ended(.finished))
        #expect(test.errors == "")
    }

    @Test("the follower requests the next byte after a response has ended")
    func endedResponse() async throws {
        let agent = try StubAgent([.log(log, to: 3), .log(log, to: 3), .log(log, to: 9), .log(log, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "0123456789")
        #expect(agent.asked == [.init(0), .init(3, "s1"), .init(3, "s1"), .init(9, "s1")])
        #expect(test.errors == "")
    }

    @Test("the follower names the log stream of its last byte in its next request")
    func stream() async throws {
        let agent = try StubAgent([
            .log(log, to: 3, stream: "s1", .cut), .log(log, to: 5, stream: "s2", .cut),
            .log(log, stream: "s2", then: end),
        ])
        _ = try await follow(agent)
        #expect(agent.asked == [.init(0), .init(3, "s1"), .init(5, "s2")])
    }

    @Test("the follower reports bytes that were lost with a pod and continues at the cut")
    func lostBytes() async throws {
        let cut = StubAgent.Answer.error(APIError(.conflict, "lost"), headers: [(APIHeader.logOffset, "4")])
        let later = Array("0123abc".utf8)
        let agent = try StubAgent([.log(log, to: 6, .cut), cut, .log(later, stream: "s2", then: end)])
        try run.log("0123")
        try run.log("abc", from: 4, attempt: 2)
        _ = try await follow(agent)
        #expect(test.output == "012345" + "abc")
        #expect(test.errors == "launch: 2 bytes above were lost with a pod and are not part of the log\n")
        #expect(agent.asked == [.init(0), .init(6, "s1"), .init(4, "s1")])
    }

    @Test("the follower reports removed bytes of the log and continues through a later cut")
    func removedBytes() async throws {
        let gone = StubAgent.Answer.error(APIError(.gone, "dropped"), headers: [(APIHeader.logOffset, "6")])
        let agent = try StubAgent([.log(log, to: 2, .cut), gone, .log(log, to: 8, .cut), .log(log, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "01" + "6789")
        #expect(
            test.errors
                == "launch: bytes 2 to 5 of the log are not kept any more; it continues at byte 6\n")
        #expect(agent.asked == [.init(0), .init(2, "s1"), .init(6, "s1"), .init(8, "s1")])
    }

    /// The next attempt begins within the removed bytes. A follower that took that for a cut would go back and forth
    /// for ever.
    @Test("the follower continues after removed log bytes in which the next attempt began")
    func removedBeginning() async throws {
        let gone = StubAgent.Answer.error(APIError(.gone, "dropped"), headers: [(APIHeader.logOffset, "6")])
        let later = StubAgent.Answer { [test, run, log] asked, connection in
            try StubAgent.Answer.log(log, stream: "s2") {
                try run.end(try run.claim(2, logStart: 4), .finished)
                test.provider.kill("pod-1")
            }.give(asked, connection)
        }
        let agent = try StubAgent([
            .log(log, to: 2, .cut) { [run] in try run.claim(2, logStart: 4) }, gone, later,
        ])
        _ = try await follow(agent)
        #expect(test.output == "01" + "6789")
        #expect(agent.asked == [.init(0), .init(2, "s1"), .init(6, "s2")])
    }

    @Test("the follower reports removed bytes when it reads the rest of the log from the volume")
    func missingOnVolume() async throws {
        try File.remove(run.folder.liveSegmentPath(from: 0, attempt: 1))
        try run.log("6789", from: 6)
        let agent = try StubAgent([.log(log, to: 2, .cut, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "01" + "6789")
        #expect(
            test.errors
                == "launch: bytes 2 to 5 of the log are not kept any more; it continues at byte 6\n")
    }

    /// Such an answer would lead back and forth for ever.
    @Test(
        "the follower fails if an answer's offset cannot be a cut",
        arguments: [(APIError.Code.conflict, "0"), (.conflict, "7"), (.gone, "0"), (.gone, "x")])
    func wrongOffset(code: APIError.Code, offset: String) async throws {
        let wrong = StubAgent.Answer.error(APIError(code, "wrong"), headers: [(APIHeader.logOffset, offset)])
        let agent = try StubAgent([wrong])
        await #expect(throws: APIError(code, "wrong")) { try await follow(agent) }
    }

    /// Connections from before a sleep stand still, and TCP reports that only after minutes.
    @Test("the follower reconnects at once after its machine slept")
    func sleep() async throws {
        let slept = Mutex(Duration.zero)
        let isGone = StubSignal()
        let silent = StubAgent.Answer { [log, test] asked, connection in
            try connection.sendHead(
                headers: [
                    ("Transfer-Encoding", "chunked"), (APIHeader.logStream, "s1"), (APIHeader.logOffset, "0"),
                ])
            try connection.sendChunk(Array(log[..<4]).text)
            while test.output != "0123" { usleep(1000) }
            slept.withLock { $0 += .seconds(60) }
            try connection.waitForClose()
            isGone.fire()
        }
        let agent = try StubAgent([silent, .log(log, then: end)])
        test.provider.add(.made(run: run, address: agent.address))
        var follower = try await test.follower(run)
        follower.sleepWatch.interval = .milliseconds(10)
        follower.sleepWatch.now = { .now + slept.withLock { $0 } }
        _ = try await follower.follow()
        await isGone.wait()
        #expect(test.output == "0123456789")
        #expect(agent.asked == [.init(0), .init(4, "s1")])
        #expect(test.errors == "")
    }

    @Test("the follower reconnects at once if its machine slept before an answer came")
    func sleepBeforeAnswer() async throws {
        let slept = Mutex(Duration.zero)
        let mute = StubAgent.Answer { _, connection in
            slept.withLock { $0 += .seconds(60) }
            try connection.waitForClose()
        }
        let agent = try StubAgent([mute, .log(log, then: end)])
        test.provider.add(.made(run: run, address: agent.address))
        var follower = try await test.follower(run)
        follower.sleepWatch.interval = .milliseconds(10)
        follower.sleepWatch.now = { .now + slept.withLock { $0 } }
        _ = try await follower.follow()
        #expect(test.output == "0123456789")
    }

    /// The earlier bytes came from the volume, and the follower must notice a cut of them, too.
    @Test("the follower names the log stream of the bytes before its first one")
    func earlierStream() async throws {
        try run.record(try run.claim(2, pod: "pod-2", logStart: 6))
        let agent = try StubAgent([
            .log(log, stream: "s2") { [test, run] in
                try run.end(try run.claim(2, pod: "pod-2", logStart: 6), .finished)
                test.provider.kill("pod-2")
            }
        ])
        test.provider.add(.made("pod-2", run: run, address: agent.address))
        for (offset, stream) in [(4, "s1"), (6, "s1"), (7, "s2")] {
            #expect(try await test.follower(run, from: offset).stream == stream)
        }
        var follower = try await test.follower(run, from: 7)
        _ = try await follower.follow()
        #expect(agent.asked == [.init(7, "s2")])
        #expect(test.output == "789")
    }

    @Test("the follower reports bytes that are not kept and continues behind them")
    func notKept() async throws {
        let gone = StubAgent.Answer.error(APIError(.gone, "not kept"), headers: [(APIHeader.logOffset, "4")])
        let agent = try StubAgent([.log(log, to: 2, .cut), gone, .log(log, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "01" + "456789")
        #expect(test.errors == "launch: bytes 2 to 3 of the log are not kept any more; it continues at byte 4\n")
        #expect(agent.asked == [.init(0), .init(2, "s1"), .init(4, "s1")])
    }

    @Test("the follower tries again without a note while the agent does not answer")
    func silentAgent() async throws {
        let busy = StubAgent.Answer.error(APIError(.unavailable, "not ready"))
        let agent = try StubAgent([.silence, busy, .log(log, to: 2, .cut), busy, .log(log, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "0123456789")
        #expect(agent.asked == [.init(0), .init(0), .init(0), .init(2, "s1"), .init(2, "s1")])
        #expect(test.errors == "", "a person need not hear of a hiccup")
    }

    @Test("the follower waits for the address of a pod")
    func noAddress() async throws {
        let agent = try StubAgent([.log(log, then: end)])
        test.provider.add(.made(run: run, address: nil))
        var follower = try await test.follower(run)
        test.provider.atPoll(2) { [test] in test.provider.move("pod-1", to: agent.address) }
        _ = try await follower.follow()
        #expect(test.output == "0123456789")
    }

    @Test("the follower finds a pod at its new address")
    func newAddress() async throws {
        let second = try StubAgent([.log(log, then: end)])
        let first = try StubAgent([
            .log(log, to: 5, .cut) { [test] in test.provider.move("pod-1", to: second.address) }
        ])
        _ = try await follow(first)
        #expect(test.output == "0123456789")
        #expect(second.asked == [.init(5, "s1")])
    }

    @Test("the follower continues with the next pod of a run")
    func nextPod() async throws {
        let log = Array("0123456789next pod".utf8)
        let next = try StubAgent([
            .log(log, stream: "s2") { [test, run] in
                try run.end(try run.claim(2, pod: "pod-2", logStart: 10), .finished)
                test.provider.kill("pod-2")
            }
        ])
        let first = try StubAgent([
            .log(log, to: 8, .cut) { [test, run] in
                try run.record(try run.claim(2, pod: "pod-2", logStart: 10))
                test.provider.kill("pod-1")
                test.provider.add(.made("pod-2", run: run, address: next.address))
            }
        ])
        try run.log("next pod", from: 10, attempt: 2)
        let view = try await follow(first)
        #expect(test.output == log.text)
        #expect(next.asked == [.init(8, "s1")])
        #expect(view.pod?.id == "pod-2")
    }

    @Test(
        "the follower reads the rest of the log from the volume after the run's end",
        arguments: [StubAgent.Answer.End.clean, .cut, .reset])
    func rest(ending: StubAgent.Answer.End) async throws {
        let agent = try StubAgent([.log(log, to: 4, ending, then: end)])
        let view = try await follow(agent)
        #expect(test.output == "0123456789")
        #expect(agent.asked.count == 1)
        #expect(view.state == .ended(.finished))
    }

    @Test("the follower ends with a lost run if the pod left no record")
    func lost() async throws {
        let agent = try StubAgent([.log(log, to: 4, .reset) { [test] in test.provider.kill("pod-1") }])
        let view = try await follow(agent)
        #expect(test.output == "0123456789")
        #expect(view.state == .lost)
    }

    @Test("the follower reports lost bytes when it reads the rest of the log from the volume")
    func cutInRest() async throws {
        // Two bytes were lost with the pod, and its successor is gone, too, before the follower's next request.
        let agent = try StubAgent([
            .log(log, to: 6, .cut) { [test, run] in
                try run.log("0123")
                try run.log("abcdef", from: 4, attempt: 2)
                try run.end(try run.claim(2, pod: "pod-2", logStart: 4), .finished)
                test.provider.kill("pod-1")
            }
        ])
        _ = try await follow(agent)
        #expect(test.output == "012345" + "abcdef")
        #expect(test.errors == "launch: 2 bytes above were lost with a pod and are not part of the log\n")
    }

    @Test("the follower drops a response that does not begin at the requested byte")
    func otherOffset() async throws {
        let elsewhere = StubAgent.Answer { asked, connection in
            try connection.respond(200, headers: [(APIHeader.logOffset, "\(asked.from + 1)")], body: "123")
        }
        let foreign = StubAgent.Answer { _, connection in try connection.respond(200, body: "<html>") }
        let agent = try StubAgent([elsewhere, foreign, .log(log, then: end)])
        _ = try await follow(agent)
        #expect(test.output == "0123456789")
    }

    @Test("the log stays byte-exact behind a proxy that answers in the agent's place")
    func proxyInPlace() async throws {
        let length: Duration = ProcessEnvironment.all["TORTURE"] == "full" ? .seconds(30) : .seconds(9)
        let start = ContinuousClock.now
        let turn = Mutex(0)
        let page = "<html><body>The origin web server is not reachable.</body></html>"
        let agent = try StubAgent { [log, end] asked, connection in
            let html = { (status: Int) in
                try connection.respond(status, headers: [("Content-Type", "text/html")], body: page)
            }
            if start.duration(to: .now) < length { return try html(502) }
            let number = turn.withLock { turn in
                defer { turn += 1 }
                return turn
            }
            switch number {
            case 0: try StubAgent.Answer.log(log, to: 3, .cut).give(asked, connection)
            case 1: try html(200)
            case 2: try StubAgent.Answer.log(log, to: 7, .cut).give(asked, connection)
            case 3: try html(524)
            case 4: try html(404)
            default: try StubAgent.Answer.log(log, then: end).give(asked, connection)
            }
        }
        _ = try await follow(agent)
        #expect(test.output == log.text)
        #expect(agent.asked.suffix(6).map(\.from) == [0, 3, 3, 7, 7, 7])
        #expect(
            test.errors == """
                launch: the agent does not answer (a proxy answered 502 in the agent's place); still trying
                launch: the agent answers again

                """)
    }

    @Test("an error that does not pass ends the follower") func lastingError() async throws {
        let agent = try StubAgent([.log(log, to: 2, .cut), .error(APIError(.unauthorized, "wrong token"))])
        await #expect(throws: APIError(.unauthorized, "wrong token")) { try await follow(agent) }
        #expect(test.output == "01")
    }

    @Test("the follower can be cancelled in the middle of a response")
    func cancelled() async throws {
        let isServed = StubSignal()
        let agent = try StubAgent { [log] asked, connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked"), (APIHeader.logOffset, "0")])
            try connection.sendChunk(log.text)
            isServed.fire()
            try connection.waitForClose()
        }
        let following = Task { try await follow(agent) }
        await isServed.wait()
        following.cancel()
        await #expect(throws: (any Error).self) { try await following.value }
    }
}
