import Foundation
import HTTPClient
import Shared
import TestSupport
import Testing

/// The training prints much. The agent seals and removes small segments while others read them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LogSegmentTests {
    /// An agent whose training prints `megabytes` MiB of lines that do not repeat and writes their SHA-256 to a file.
    /// The training ends once the file `end` exists.
    private func agent(at site: Site, megabytes: Int, rule: LogRule) throws -> BareAgent {
        var agent = try BareAgent(
            at: site,
            command: .exec([
                "python3", "-c",
                """
                import hashlib, os, sys, time
                digest = hashlib.sha256()
                for number in range(\(megabytes)):
                    lines = [b"step %d loss %d.%d learning rate 0.001\\n" % (number * 32768 + n, n * 7919 % 9973, number) for n in range(32768)]
                    block = b"".join(lines)[:1 << 20]
                    digest.update(block)
                    sys.stdout.buffer.write(block)
                print("\\nall printed", flush=True)
                open(os.environ["SITE"] + "/digest", "w").write(digest.hexdigest())
                while not os.path.exists(os.environ["SITE"] + "/end"): time.sleep(0.01)
                """,
            ]))
        agent.spec.logs = rule
        return agent
    }

    private func serve(_ first: Int32) throws -> Int32 {
        try #require(ProcessStat.descendants(of: first).first { $0.parent == first }?.pid)
    }

    /// Memory that is not backed by a file, in bytes; `RssAnon` in proc_pid_status(5).
    private func anonymous(_ pid: Int32) throws -> Int {
        let status = try File.read("/proc/\(pid)/status").text
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(Int(line.split(separator: " ", omittingEmptySubsequences: true)[1])) << 10
    }

    /// Whether all output is on the volume, so the log grows no more.
    private func isAllWritten(_ agent: BareAgent) throws -> Bool {
        try File.read(agent.spec.volume + "/logs/current.log").text.hasSuffix("\nall printed\n")
    }

    private func names(_ agent: BareAgent) throws -> [String] {
        try File.list(agent.folder.logs).filter { !$0.hasSuffix(".index") }
    }

    private func sealedSize(_ agent: BareAgent) throws -> Int {
        try names(agent).filter { $0.hasSuffix(".gz") }
            .compactMap { File.status("\(agent.folder.logs)/\($0)")?.size }.reduce(0, +)
    }

    @Test("200 MiB of output reach the volume, four followers and zcat unchanged, and the agent needs at most 12 MiB")
    func muchOutput() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, megabytes: 200, rule: LogRule(segment: 1 << 20))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            let followers = (0..<4).map { _ in
                Task {
                    var hasher = SHA256Hasher()
                    var count = 0
                    var end: [UInt8] = []
                    // Each response ends after a minute.
                    while !end.text.hasSuffix("\nEXIT_CODE=0\n") {
                        for try await chunk in try await live.open("/v1/log?follow=1&from=\(count)").body {
                            hasher.update(chunk)
                            count += chunk.count
                            end = (end + chunk.suffix(100)).suffix(100)
                        }
                    }
                    return (count, hasher.finish())
                }
            }
            try await eventuallyTrue("all printed", within: .seconds(60)) {
                try site.exists("digest") && isAllWritten(agent)
            }
            try await eventuallyTrue("all sealed but the live one", within: .seconds(120), every: .milliseconds(50)) {
                try names(agent).count { $0.hasSuffix(".log") } == 1
            }
            #expect(try names(agent).count > 150)
            #expect(try File.read(agent.spec.volume + "/logs/current.log").count <= 2 << 20)
            #expect(try anonymous(try serve(running.pid)) <= 12 << 20)

            let suffix = try await live.ask("GET", "/v1/log", ("Range", "bytes=-1000"))
            #expect(suffix.status == 206 && suffix.body.count == 1000)
            let log = try site.log("bare")
            #expect(Array(log.suffix(1000)) == suffix.body)
            let middle = try await live.ask("GET", "/v1/log", ("Range", "bytes=100000000-100999999"))
            #expect(middle.body == Array(log[100_000_000..<101_000_000]))

            try site.open("end")
            try await running.check()
            let all = try site.log("bare")
            let expected = SHA256Digest(of: all)
            for follower in followers {
                let (count, digest) = try await follower.value
                #expect(count == all.count)
                #expect(digest == expected)
            }
            let header = try #require(all.prefix(10_000).text.components(separatedBy: "step 0 ").first)
            let begin = header.utf8.count
            let printed = try File.read("\(site.root)/digest").text
            #expect(SHA256Digest(of: Array(all[begin..<begin + (200 << 20)])).description == printed)
            let script = "cd \(agent.folder.logs) && (zcat *.log.gz; cat *.log) | sha256sum"
            #expect(try Command.run(["sh", "-c", script]).output.text.hasPrefix(expected.description))
        }
    }

    @Test("the agent removes old segments beyond logs.keep and answers 410 with the offset of the first kept byte")
    func removal() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, megabytes: 20, rule: LogRule(segment: 1 << 20, keep: 1 << 20))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            try await eventuallyTrue("all printed and sealed", within: .seconds(60)) {
                try site.exists("digest") && isAllWritten(agent) && names(agent).count { $0.hasSuffix(".log") } == 1
                    && sealedSize(agent) <= agent.spec.logs.keep
            }
            let begin = try LogStream(of: agent.folder).begin
            #expect(begin > 1 << 20)
            let response = try await live.ask("/v1/log")
            #expect(response.status == 410)
            #expect(response.headers[APIHeader.logOffset] == "\(begin)")
            #expect(try live.error(response).hint == "continue at \(begin)")
            let kept = try await live.ask("GET", "/v1/log", ("Range", "bytes=\(begin)-"))
            #expect(kept.status == 206)
            try site.open("end")
            try await running.check()
            let stream = try LogStream(of: agent.folder)
            #expect(try stream.read(at: begin, limit: 1000) == Array(kept.body.prefix(1000)))
        }
    }
}
