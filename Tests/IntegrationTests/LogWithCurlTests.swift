import HTTPClient
import Shared
import TestSupport
import Testing

/// curl and pipes use `GET /v1/log`, as a person would.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LogWithCurlTests {
    /// Runs scripts that have the variables `$URL`, `$TOKEN` and `$LOG`, the path of the live segment.
    private struct Shell {
        let site: Site
        let environment: [String: String]

        func run(_ script: String) async throws -> String {
            let command = try site.start(["bash", "-euo", "pipefail", "-c", script], environment: environment)
            try await command.check()
            return command.text
        }

        func expect(
            _ script: String, prints text: String, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let printed = try await run(script)
            #expect(printed == text, sourceLocation: sourceLocation)
        }
    }

    /// Runs `body` with the log of a training that has printed 50 000 lines and waits.
    private func withLog(_ body: ([UInt8], Shell) async throws -> Void) async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("seq 50000; until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            try await eventuallyTrue("all lines") { try await live.ask("/v1/log").text.hasSuffix("\n50000\n") }
            let environment = [
                "URL": "\(live.address)/v1/log", "TOKEN": "Authorization: Bearer \(live.token)",
                "LOG": agent.folder.liveSegmentPath(from: 0, attempt: 1),
            ]
            try await body(try site.log("bare"), Shell(site: site, environment: environment))
            try site.open("go")
            try await running.check()
        }
    }

    @Test("curl gets the log's last 1000 bytes, its last line, or bytes from its middle")
    func parts() async throws {
        try await withLog { log, shell in
            try await shell.expect("curl -sSf -H \"$TOKEN\" -r -1000 \"$URL\"", prints: log.suffix(1000).text)
            try await shell.expect("curl -sSf -H \"$TOKEN\" \"$URL\" | tail -n 1", prints: "50000\n")
            try await shell.expect("curl -sSf -H \"$TOKEN\" -r 10-19 \"$URL\"", prints: Array(log[10..<20]).text)
        }
    }

    @Test("curl gets the whole log byte for byte, also continued with -C - and through gzip")
    func whole() async throws {
        try await withLog { log, shell in
            try await shell.expect("curl -sSf -H \"$TOKEN\" \"$URL\" | cmp - \"$LOG\" && echo same", prints: "same\n")
            // curl asks only for the bytes that its file lacks.
            let script = """
                curl -sSf -H "$TOKEN" -r 0-99999 -o part "$URL"
                curl -sSf -H "$TOKEN" -C - -o part "$URL"
                cmp part "$LOG" && echo same
                """
            try await shell.expect(script, prints: "same\n")
            let compressed =
                "curl -sSf -H \"$TOKEN\" \"$URL\" | gzip > log.gz; zcat log.gz | cmp - \"$LOG\" && echo same"
            try await shell.expect(compressed, prints: "same\n")
            #expect(log.count > 250_000)
        }
    }

    @Test("HEAD /v1/log has the size of the log, its durable size and the range")
    func head() async throws {
        try await withLog { log, shell in
            let head = try await shell.run("curl -sSfI -H \"$TOKEN\" \"$URL\" | tr -d '\\r'")
            #expect(head.contains("\nContent-Length: \(log.count)\n"))
            #expect(head.contains("\nAccept-Ranges: bytes\n"))
            #expect(head.contains("\nX-Log-Durable: "))
            let part = try await shell.run("curl -sSfI -H \"$TOKEN\" -r -1000 \"$URL\" | tr -d '\\r'")
            #expect(part.hasPrefix("HTTP/1.1 206 "))
            #expect(part.contains("\nContent-Range: bytes \(log.count - 1000)-\(log.count - 1)/\(log.count)\n"))
            #expect(part.contains("\nContent-Length: 1000\n"))
        }
    }

    @Test("a range behind the end of the log gets 416 with the log's size")
    func rangeBehindEnd() async throws {
        try await withLog { log, shell in
            let format = "-w '%{http_code} %header{content-range}'"
            let script = "curl -sS \(format) -H \"$TOKEN\" -r \(log.count)- -o error \"$URL\"; cat error"
            let answer = try await shell.run(script)
            #expect(answer.hasPrefix("416 bytes */\(log.count){"))
            #expect(answer.contains("range_not_satisfiable"))
        }
    }

    @Test("the agent still serves the log after a follower has closed its pipe early")
    func closedPipe() async throws {
        try await withLog { log, shell in
            let script = "(curl -sS -H \"$TOKEN\" \"$URL?follow=1&from=0\" || true) 2>errors | head -c 20"
            let text = try await shell.run(script)
            #expect(text == log.prefix(20).text)
            try await shell.expect("curl -sSf -H \"$TOKEN\" -r 0-0 \"$URL\"", prints: log.prefix(1).text)
        }
    }
}
