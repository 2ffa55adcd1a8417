import HTTPClient
import Shared
import TestSupport
import Testing

/// A real agent answers requests over HTTP.
@Suite(.serialized, .timeLimit(.minutes(2))) struct APITests {
    /// Runs `body` with an agent whose training has printed ten lines and waits for the file `go`, and with its log.
    private func withAgent(_ body: (LiveAgent, [UInt8]) async throws -> Void) async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("seq 10; until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            try await eventuallyTrue("ten lines") { try await live.ask("/v1/log").text.hasSuffix("\n10\n") }
            try await body(live, try site.log("bare"))
            try site.open("go")
            try await running.check()
        }
    }

    @Test("the agent answers 401 on every path but /v1/health if the request lacks the token")
    func token() async throws {
        try await withAgent { agent, _ in
            for (token, header) in [
                (nil, nil), ("wrong", nil), ("", nil), (nil, ("Authorization", "Basic secret")),
                (nil, ("X-Pod-Agent-Token", "wrong")), (nil, ("Authorization", "secret")),
            ] as [(String?, (String, String)?)] {
                for path in ["/v1/status", "/v1/log", "/v1/log?follow=1", "/v1/nowhere", "/"] {
                    let response =
                        if let header { try await agent.ask("GET", path, token: token, header) } else {
                            try await agent.ask("GET", path, token: token)
                        }
                    #expect(response.status == 401, "\(path)")
                    #expect(try agent.error(response).code == .unauthorized)
                }
            }
            #expect(try await agent.ask("GET", "/v1/health", token: nil).status == 200)
            #expect(try await agent.ask("GET", "/v1/status", token: nil, ("X-Pod-Agent-Token", "secret")).status == 200)
            let status = try JSON.decode(StatusReport.self, from: try await agent.ask("/v1/status").body)
            #expect(status.attempt.state == .training)
        }
    }

    @Test("the agent answers a wrong path, method or parameter with its own status and a message")
    func wrongRequests() async throws {
        try await withAgent { agent, _ in
            for (method, path, code) in [
                ("GET", "/v1/nowhere", 404), ("GET", "/", 404), ("GET", "/v1/log/", 404), ("POST", "/v1/nowhere", 404),
                ("POST", "/v1/log", 405), ("DELETE", "/v1/status", 405), ("GET", "/v1/stop", 405),
                ("POST", "/v1/health", 405), ("POST", "/v1/stop", 400),
                ("GET", "/v1/log?follow=1&from=x", 400), ("GET", "/v1/log?follow=1&from=999999", 416),
            ] {
                let response = try await agent.ask(method, path)
                #expect(response.status == code, "\(method) \(path)")
                #expect(try agent.error(response).message != "", "\(method) \(path)")
            }
        }
    }

    @Test("GET /v1/log returns exactly the requested bytes, and 416 if the range is outside the log")
    func ranges() async throws {
        try await withAgent { agent, log in
            let size = log.count
            for (range, expected) in [
                ("bytes=0-", 0..<size), ("bytes=10-", 10..<size), ("bytes=\(size - 1)-", size - 1..<size),
                ("bytes=-5", size - 5..<size), ("bytes=-999999", 0..<size), ("bytes=3-7", 3..<8),
                ("bytes=3-999999", 3..<size), ("bytes=0-0", 0..<1),
            ] {
                let response = try await agent.ask("GET", "/v1/log", ("Range", range))
                #expect(response.status == 206, "\(range)")
                #expect(response.body == Array(log[expected]), "\(range)")
                #expect(
                    response.headers["Content-Range"]
                        == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/\(size)")
            }
            for range in ["bytes=\(size)-", "bytes=999999-", "bytes=-0", "bytes=7-3"] {
                let response = try await agent.ask("GET", "/v1/log", ("Range", range))
                #expect(response.status == 416, "\(range)")
                #expect(try agent.error(response).code == .rangeNotSatisfiable)
            }
            let whole = try await agent.ask("/v1/log")
            #expect(whole.status == 200)
            #expect(whole.body == log)
            #expect(whole.headers["Accept-Ranges"] == "bytes")
            let head = try await agent.ask("HEAD", "/v1/log")
            #expect(head.status == 200)
            #expect(head.body == [])
            #expect(head.headers["Content-Length"] == "\(size)")
            #expect(head.headers["X-Log-Stream"] == whole.headers["X-Log-Stream"])
        }
    }
}
