import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

/// Each follower gets exactly the bytes on the volume, and none of them slows the training.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FollowersTests {
    /// Prints small and large pieces once the file `go` exists, and ends once the file `end` exists.
    private static let command = CommandForm.exec([
        "python3", "-c",
        """
        import os, sys, time
        print("ready")
        while not os.path.exists(os.environ["SITE"] + "/go"): time.sleep(0.01)
        for n in range(int(os.environ["PIECES"])):
            sys.stdout.write(f"{n} " * (1 if n % 2 else 10_000) + "\\n")
            sys.stdout.flush()
            if n % 10 == 0: time.sleep(0.01)
        print("printed")
        while not os.path.exists(os.environ["SITE"] + "/end"): time.sleep(0.01)
        """,
    ])

    @Test("a follower of /v1/log gets every byte from the offset that it asks for to the end")
    func offsets() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, pieces: 100)
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            try await eventuallyTrue("ready") { try await live.ask("/v1/log").text.hasSuffix("ready\n") }
            let now = try site.log("bare").count
            var followers: [(Int, HTTPHead, Task<[UInt8], any Error>)] = []
            for offset in [0, 1, now - 1, now] {
                let exchange = try await live.open("/v1/log?follow=1&from=\(offset)")
                followers.append(
                    (offset, exchange.head, Task { try await exchange.body.reduce(into: []) { $0 += $1 } }))
            }
            try site.open("end")
            try site.open("go")
            try await running.check()
            let log = try site.log("bare")
            let claim = try #require(try agent.folder.claims().first)
            for (offset, head, bytes) in followers {
                #expect(try await bytes.value == Array(log[offset...]), "from \(offset)")
                #expect(head.headers["X-Log-Offset"] == "\(offset)")
                #expect(head.headers["X-Log-Stream"] == claim.stream)
            }
            #expect(log.count > 1_000_000)
        }
    }

    @Test("200 followers at once each get the whole log")
    func manyFollowers() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, pieces: 20)
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            var followers: [HTTPExchange] = []
            for _ in 0..<200 { followers.append(try await live.open("/v1/log?follow=1&from=0")) }
            try site.open("end")
            try site.open("go")
            let bodies = try await withThrowingTaskGroup(of: SHA256Digest.self) { group in
                for follower in followers {
                    group.addTask { SHA256Digest(of: try await follower.body.reduce(into: []) { $0 += $1 }) }
                }
                return try await group.reduce(into: [SHA256Digest: Int]()) { $0[$1, default: 0] += 1 }
            }
            try await running.check()
            #expect(bodies == [SHA256Digest(of: try site.log("bare")): 200])
        }
    }

    /// The agent stops sending once the follower's buffers are full. At the end the pod waits 5 s for it.
    @Test("a follower that never reads delays neither the training nor another follower")
    func silentFollower() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, pieces: 1_500)
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            let silent = try SilentClient(asking: "/v1/log?follow=1&from=0", of: live.address, token: agent.token)
            let bytes = Mutex<[UInt8]>([])
            let other = Task {
                for try await chunk in try await live.open("/v1/log?follow=1&from=0").body {
                    bytes.withLock { $0 += chunk }
                }
            }
            try site.open("go")
            try await eventuallyTrue("all of it in the one that reads", within: .seconds(60)) {
                bytes.withLock { $0.suffix(8).elementsEqual("printed\n".utf8) }
            }
            let start = ContinuousClock.now
            try site.open("end")
            try await running.check()
            #expect(start.duration(to: .now) < .seconds(20), "the server keeps a connection without progress for 30 s")
            try await other.value
            let log = try site.log("bare")
            #expect(bytes.withLock { $0 == log })
            #expect(log.count > 30_000_000)
            withExtendedLifetime(silent) {}
        }
    }

    private func agent(at site: Site, pieces: Int) throws -> BareAgent {
        var agent = try BareAgent(at: site, command: Self.command)
        agent.spec.env["PIECES"] = "\(pieces)"
        return agent
    }
}
