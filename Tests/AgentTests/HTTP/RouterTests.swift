import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

/// The routes over a real socket.
@Suite struct RouterTests {
    private let run: TestRun
    private let agent: TestAgent

    init() async throws {
        run = try TestRun()
        agent = try await TestAgent(run: run)
    }

    @discardableResult
    private func open() throws -> OpenAttempt { try agent.open(try run.attempt(1)) }

    private func error(_ response: HTTPResponse) throws -> APIError {
        try JSON.decode(APIError.self, from: response.body)
    }

    // MARK: - health

    @Test("a health request needs no token and shows whether the agent is ready")
    func health() async throws {
        let before = try await agent.transport.send(HTTPRequest("GET", agent.address + Endpoint.health))
        #expect(before.status == 503)
        #expect(
            try JSON.decode(HealthReport.self, from: before.body)
                == HealthReport(ready: false, version: Version.current))
        try open()
        let after = try await agent.transport.send(HTTPRequest("GET", agent.address + Endpoint.health))
        #expect(after.status == 200)
        #expect(after.headers["Content-Type"] == "application/json")
        #expect(try await agent.client(token: "").health() == HealthReport(ready: true, version: Version.current))
    }

    @Test("status and log are unavailable before the agent has claimed the run")
    func beforeTheClaim() async throws {
        for path in [Endpoint.status, Endpoint.log, Endpoint.log + "?follow=1"] {
            let response = try await agent.send("GET", path)
            #expect(response.status == 503)
            #expect(try error(response).code == .unavailable)
        }
    }

    // MARK: - the token

    @Test(
        "a request is accepted only with the exact token in one of the two headers",
        arguments: [
            ("Authorization", "Bearer the token", 200), (APIHeader.token, "the token", 200),
            ("authorization", "Bearer the token", 200), ("Authorization", "Bearer the tokem", 401),
            ("Authorization", "Bearer ", 401), ("Authorization", "the token", 401),
            ("Authorization", "Basic dGhl", 401),
            (APIHeader.token, "", 401), ("X-Other", "the token", 401),
        ])
    func token(_ name: String, _ value: String, _ status: Int) async throws {
        try open()
        let request = HTTPRequest("GET", agent.address + Endpoint.status, headers: [(name: name, value: value)])
        let response = try await agent.transport.send(request)
        #expect(response.status == status)
        if status == 401 { #expect(try error(response).code == .unauthorized) }
    }

    @Test("a request without the token stops nothing and does not learn which paths exist")
    func withoutToken() async throws {
        try open()
        for path in [Endpoint.status, Endpoint.log, "/v1/none", "/"] {
            #expect(try await agent.transport.send(HTTPRequest("GET", agent.address + path)).status == 401)
        }
        let stop = HTTPRequest("POST", agent.address + Endpoint.stop, body: Array(#"{"mode":"now"}"#.utf8))
        #expect(try await agent.transport.send(stop).status == 401)
        #expect(agent.tells == [])
    }

    // MARK: - paths and methods

    @Test(
        "a request for an unknown path is answered with 404",
        arguments: ["/", "", "/v1", "/v1/", "/v1/statuss", "/v1/status/", "/v2/status", "/v1/log/x", "//v1/status"])
    func unknownPath(_ path: String) async throws {
        try open()
        let response = try await agent.send("GET", path)
        #expect(response.status == 404)
        #expect(try error(response).code == .notFound)
    }

    @Test(
        "a request with a method that its path does not have is answered with 405",
        arguments: [
            ("POST", Endpoint.status), ("DELETE", Endpoint.status), ("PUT", Endpoint.log), ("POST", Endpoint.log),
            ("GET", Endpoint.stop), ("PUT", Endpoint.stop), ("POST", Endpoint.health), ("POST", Endpoint.checkpoints),
        ])
    func wrongMethod(_ method: String, _ path: String) async throws {
        try open()
        let response = try await agent.send(method, path)
        #expect(response.status == 405)
        #expect(try error(response).code == .methodNotAllowed)
        #expect(agent.tells == [])
    }

    // MARK: - status

    @Test("the status report shows the attempt's record and the ends of its log")
    func status() async throws {
        let work = try open()
        work.log.say(.captured("a line"))
        await work.log.sync()
        work.journal.change { $0.enter(.training, at: $0.phases[0].began) }
        var (report, status) = (try await agent.client().status(), work.status)
        #expect((report.attempt.seconds ?? 0) > 0)
        // The seconds of a live attempt grow between the two.
        report.attempt.lasted(nil)
        status.attempt.lasted(nil)
        #expect(report == status)
        #expect(report.attempt.state == .training && report.attempt.number == 1 && report.attempt.run == run.id)
        #expect(report.logEnd == work.log.progress.end && report.logDurable == report.logEnd)
        #expect(report.version == Version.current)
    }

    // MARK: - checkpoints

    @Test("the report of checkpoints holds all receipts, ordered by step")
    func receipts() async throws {
        try open()
        func report() async throws -> CheckpointsReport {
            let response = try await agent.send("GET", Endpoint.checkpoints)
            #expect(response.status == 200)
            return try JSON.decode(CheckpointsReport.self, from: response.body)
        }
        #expect(try await report().receipts == [])
        for step in [100, 20] {
            try run.checkpoint("checkpoint-\(step)")
            try run.prove("checkpoint-\(step)")
        }
        let report = try await report()
        #expect(report.receipts.map(\.step) == [20, 100])
        #expect(try report.receipts == run.folders.allReceipts())
    }

    // MARK: - stop

    @Test(
        "a stop request reaches the daemon as it was sent",
        arguments: [
            StopRequest.graceful, .now, StopRequest(mode: .graceful, grace: .seconds(7200.5)),
            StopRequest(mode: .now, then: .terminate), StopRequest(mode: .graceful, then: .stop),
        ])
    func stop(_ request: StopRequest) async throws {
        try open()
        try await agent.client().stop(request)
        #expect(agent.tells == [.stopRequested(request)])
    }

    @Test(
        "a stop request with an absurd grace is refused with a hint",
        arguments: [
            #"{"mode":"graceful","grace":0}"#, #"{"mode":"graceful","grace":-5}"#,
            #"{"mode":"graceful","grace":0.5}"#, #"{"mode":"graceful","grace":86401}"#,
            #"{"mode":"graceful","grace":1e300}"#, #"{"mode":"graceful","grace":"2m"}"#,
            #"{"mode":"now","grace":10}"#,
        ])
    func absurdGrace(_ body: String) async throws {
        try open()
        let response = try await agent.send("POST", Endpoint.stop, body: Array(body.utf8))
        #expect(response.status == 400)
        #expect(try error(response).hint != nil)
        #expect(agent.tells == [])
    }

    @Test("a stop request to keep the pod is refused")
    func keepPod() async throws {
        try open()
        let response = try await agent.send(
            "POST", Endpoint.stop, body: Array(#"{"mode":"graceful","then":"keep"}"#.utf8))
        #expect(response.status == 400)
        #expect(try error(response).message == "a pod cannot be kept after its run")
        #expect(agent.tells == [])
    }

    @Test(
        "a malformed stop request is refused",
        arguments: [
            "", "{}", #"{"mode":"later"}"#, #"{"mode":1}"#, "now", "[]", #"{"mode":"now","then":"sleep"}"#,
        ])
    func malformedStop(_ body: String) async throws {
        try open()
        let response = try await agent.send("POST", Endpoint.stop, body: Array(body.utf8))
        #expect(response.status == 400)
        #expect(try error(response).code == .badRequest)
        #expect(agent.tells == [])
    }
}
