import Foundation
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// Notices over a real socket.
@Suite(.timeLimit(.minutes(1))) struct NotifierTests {
    private let clock = SkippingClock()
    private let said = Mutexed<[String]>([])

    private func notifier(_ urls: String...) -> Notifier {
        Notifier(urls: urls, clock: clock) { PatientTransport() }
    }

    private func notice() throws -> Notice {
        let claim = Claim(
            number: 1, pod: "pod-1", launch: "L1", lineage: "L1", logStart: 0, stream: "s", processes: [],
            claimed: Date(timeIntervalSince1970: 1_800_000_000))
        var record = AttemptRecord(claim: claim, run: try #require(RunID("digits")), spec: "")
        record.outcome = Outcome(.finished, exit: .code(0))
        return Notice(.end, of: record, at: Date(timeIntervalSince1970: 1_800_000_060))
    }

    private func send(_ notifier: Notifier, tries: Int = 4) throws {
        notifier.send(try notice(), tries: tries) { [said] line in said.change { $0.append(line.text) } }
    }

    @Test("a notice is posted to every URL")
    func arrives() async throws {
        let got = Mutexed<[StubRequest]>([])
        let server = try StubServer { connection in
            got.change { $0.append(connection.request) }
            try connection.respond(204)
        }
        let notifier = notifier(server.url("/hook?token=t"), server.url("/other"))
        try send(notifier)
        await notifier.firstTries(within: .seconds(30))
        let requests = got.value.sorted { $0.target < $1.target }
        #expect(requests.map(\.target) == ["/hook?token=t", "/other"])
        let request = try #require(requests.first)
        #expect(request.method == "POST")
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.body == (try JSON.encode(try notice())))
        #expect(said.value.isEmpty)
    }

    @Test("a notice is posted again after growing pauses when the server is busy")
    func busyServer() async throws {
        let count = Mutexed(0)
        let server = try StubServer { connection in
            count.change { $0 += 1 }
            try connection.respond(count.value < 3 ? 503 : 200)
        }
        try send(notifier(server.url()))
        try await eventuallyTrue("three tries") { count.value == 3 }
        #expect(clock.sleeps.count == 2)
        let (first, second) = (clock.sleeps[0], clock.sleeps[1])
        #expect(first >= .seconds(1) && first <= .seconds(1.5))
        #expect(second >= .seconds(4) && second <= .seconds(6))
        let why = "NOTIFY: could not post \"end\": \"http://127.0.0.1:\(server.port)\" answered 503; retrying"
        #expect(said.value == [why])
    }

    @Test("a notice is given up after four tries, and the log shows only the host of its URL")
    func givesUp() async throws {
        let server = try StubServer { try $0.respond(500) }
        try send(notifier(server.url("/services/T0/secret?token=secret")))
        try await eventuallyTrue("the last word") { said.value.count == 2 }
        #expect(server.accepted == 4)
        let why = "NOTIFY: could not post \"end\": \"http://127.0.0.1:\(server.port)\" answered 500"
        #expect(said.value == [why + "; retrying", why])
    }

    @Test("a notice that the server answers with 404 is not posted again")
    func refused() async throws {
        let server = try StubServer { try $0.respond(404) }
        try send(notifier(server.url()))
        try await eventuallyTrue("the last word") { !said.value.isEmpty }
        #expect(server.accepted == 1)
    }

    @Test("the log shows only the host of a URL whose server cannot be reached")
    func unreachable() async throws {
        let port = try StubServer { _ in }.port
        try send(notifier("http://127.0.0.1:\(port)/services/secret?token=secret"), tries: 2)
        try await eventuallyTrue("the last word") { said.value.count == 2 }
        #expect(said.value.allSatisfy { $0.contains("http://127.0.0.1:\(port)\"") && !$0.contains("secret") })
    }

    @Test("the agent does not wait for a server that never answers a notice")
    func hangingServer() async throws {
        let gone = StubSignal()
        let server = try StubServer { _ in try gone.block() }
        defer { gone.fire() }
        let notifier = notifier(server.url())
        try send(notifier)
        let start = ContinuousClock.now
        await notifier.firstTries(within: .milliseconds(300))
        #expect(start.duration(to: .now) < .seconds(5))
        #expect(said.value.isEmpty)
    }

    @Test("the agent waits for nothing when there is no URL for notices")
    func withoutURL() async throws {
        let notifier = notifier()
        try send(notifier)
        await notifier.firstTries(within: .seconds(60))
    }
}

private final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
