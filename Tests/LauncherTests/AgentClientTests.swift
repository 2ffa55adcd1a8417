import HTTPClient
import Shared
import Testing

/// The agent's HTTP responses as values and errors.
@Suite struct AgentClientTests {
    private func client(_ transport: FakeTransport) -> AgentClient {
        AgentClient(address: "http://pod:1", token: "secret", transport: transport)
    }

    private func client(_ response: HTTPResponse) -> AgentClient {
        client(FakeTransport { _ in response })
    }

    @Test("the agent's client sends its token in the Authorization header and nowhere else")
    func token() async throws {
        let transport = FakeTransport { _ in .text(500, "") }
        let client = client(transport)
        _ = try? await client.health()
        _ = try? await client.status()
        _ = try? await client.stop(.now)
        _ = try? await client.followLog(from: 5, stream: "s1")
        _ = try? await client.followLog(from: 0, stream: nil)
        #expect(
            transport.requests.map { "\($0.method) \($0.url)" } == [
                "GET http://pod:1/v1/health", "GET http://pod:1/v1/status", "POST http://pod:1/v1/stop",
                "GET http://pod:1/v1/log?follow=1&from=5&stream=s1", "GET http://pod:1/v1/log?follow=1&from=0",
            ])
        for request in transport.requests {
            #expect(request.headers.map { "\($0.name): \($0.value)" } == ["Authorization: Bearer secret"])
            #expect(!request.url.contains("secret"))
        }
        #expect(transport.requests[2].body?.bytes?.text == #"{"mode":"now"}"#)
    }

    @Test("a followed log has an idle timeout of 75 s and no total timeout")
    func followTimeouts() async throws {
        let transport = FakeTransport { _ in .text(200, "x", headers: ["X-Log-Offset": "0"]) }
        _ = try await client(transport).followLog(from: 0, stream: nil)
        let timeouts = try #require(transport.requests.first).timeouts
        #expect(timeouts.total == nil)
        #expect(timeouts.idle == .seconds(75), "longer than the minute that a response lasts")
    }

    @Test(
        "an error of the agent is thrown with its code, message and hint",
        arguments: [
            (
                401, #"{"error":{"code":"unauthorized","message":"wrong token"}}"#,
                APIError(.unauthorized, "wrong token")
            ),
            (
                409, #"{"error":{"code":"conflict","message":"m","hint":"h"}}"#,
                APIError(.conflict, "m", hint: "h")
            ),
            (503, #"{"error":{"code":"unavailable","message":"m","new":1}}"#, APIError(.unavailable, "m")),
        ])
    func agentErrors(status: Int, body: String, expected: APIError) async throws {
        let client = client(.text(status, body))
        await #expect(throws: expected) { try await client.status() }
        await #expect(throws: expected) { try await client.stop(.graceful) }
        await #expect(throws: expected) { try await client.followLog(from: 0, stream: nil) }
    }

    @Test(
        "an error response that is not the agent's is thrown with its status",
        arguments: [
            (502, "<html>bad gateway</html>"), (500, ""), (404, #"{"detail":"no"}"#),
            (500, #"{"error":{"code":"of-the-future","message":"m"}}"#), (302, "moved"),
        ])
    func otherErrors(status: Int, body: String) async throws {
        let client = client(.text(status, body))
        let expected = UnknownReply(status: status)
        #expect(AgentClient.isPassing(expected))
        await #expect(throws: expected) { try await client.status() }
        await #expect(throws: expected) { try await client.followLog(from: 0, stream: nil) }
    }

    @Test("a conflict that names an offset is thrown as a cut of the log")
    func cut() async throws {
        let body = #"{"error":{"code":"conflict","message":"lost"}}"#
        let cut = client(.text(409, body, headers: ["x-log-offset": "77"]))
        await #expect(throws: LogCut(offset: 77)) { try await cut.followLog(from: 80, stream: "s1") }
        let odd = client(.text(409, body, headers: ["X-Log-Offset": "x"]))
        await #expect(throws: APIError(.conflict, "lost")) { try await odd.followLog(from: 80, stream: "s1") }
    }

    @Test("a log response that does not begin at the requested byte is a protocol error", arguments: [nil, "4", "x"])
    func otherOffset(offset: String?) async throws {
        let headers = HTTPHeaders(offset.map { [("X-Log-Offset", $0)] } ?? [])
        let error = try await #require(throws: HTTPError.self) {
            try await client(.text(200, "x", headers: headers)).followLog(from: 5, stream: nil)
        }
        #expect(error.code == .protocolError)
    }

    @Test("an agent that is not ready reports its health, too")
    func notReady() async throws {
        let client = client(.text(503, #"{"ready":false,"version":"1"}"#))
        #expect(try await client.health() == HealthReport(ready: false, version: "1"))
    }

    @Test("each error code of the API has its own HTTP status")
    func statuses() {
        let codes: [APIError.Code] = [
            .badRequest, .unauthorized, .notFound, .methodNotAllowed, .conflict, .rangeNotSatisfiable, .internal,
            .unavailable,
        ]
        #expect(codes.map(\.status) == [400, 401, 404, 405, 409, 416, 500, 503])
    }

    @Test("an error of the API survives a round trip through JSON")
    func roundTrip() throws {
        let error = APIError(.rangeNotSatisfiable, "m", hint: "h")
        let text = try JSON.text(error)
        #expect(text == #"{"error":{"code":"range_not_satisfiable","hint":"h","message":"m"}}"#)
        #expect(try JSON.decode(APIError.self, from: text.utf8) == error)
    }
}
