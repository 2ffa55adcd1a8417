import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

/// A large file to the agent and back over connections that break.
@Suite(.serialized, .timeLimit(.minutes(15))) struct FileTransferTests {
    private static let cuts = 20

    @Test("a large file goes to the agent and back through twenty cuts, and costs it no memory")
    func thereAndBack() async throws {
        let size = Rounds.count(64 << 20, full: 2 << 30)
        try await Site.with { site in
            let bare = try BareAgent(at: site, command: .shell("exec sleep 600"))
            let pod = try bare.start()
            let agent = try await LiveAgent(bare)
            let serve = try #require(ProcessStat.descendants(of: pod.pid).first { isServe($0.pid) }?.pid)
            let source = "\(site.root)/source"
            let digest = try Self.write(size, to: source)
            let port = try #require(agent.address.split(separator: ":").last.flatMap { UInt16($0) })
            let before = try Self.anonymous(serve)

            let up = try ByteCuttingProxy(to: port, lives: lives(size), cuts: Self.cuts, seed: 1)
            var clock = ContinuousClock.now
            try await Self.client(up, agent).put(file: source, to: "data/large")
            let upTime = clock.duration(to: .now)
            let afterUpload = try Self.anonymous(serve)
            #expect(up.cuts == Self.cuts)

            let down = try ByteCuttingProxy(to: port, lives: lives(size), cuts: Self.cuts, seed: 2)
            clock = .now
            let returned = try await Self.download("data/large", size, from: Self.client(down, agent))
            let downTime = clock.duration(to: .now)
            let after = try Self.anonymous(serve)
            #expect(down.cuts == Self.cuts)
            #expect(returned == digest)
            #expect(try Self.digest(of: "\(bare.spec.volume)/data/large") == digest)
            let growth = max(afterUpload, after) - before
            print("\(size >> 20) MB: up \(upTime), down \(downTime), anonymous memory \(before) kB, then +\(growth) kB")
            #expect(growth <= 4096, "kB, from \(before) kB")
            pod.send(SIGTERM)
            #expect(try await pod.end(within: .seconds(10)) == 143)
        }
    }

    /// A connection passes so many bytes, fewer than one part of an upload, so that all cuts come before the end.
    private func lives(_ size: Int) -> ClosedRange<Int> {
        let part = AgentClient.UploadPace().partSize
        return min(size / 60, part / 4)...min(size / 25, part / 2)
    }

    private func isServe(_ pid: Int32) -> Bool {
        (try? File.read("/proc/\(pid)/cmdline").split(separator: 0).last?.text) == "serve"
    }

    private static func client(_ proxy: ByteCuttingProxy, _ agent: LiveAgent) -> AgentClient {
        AgentClient(address: "http://127.0.0.1:\(proxy.port)", token: agent.token, transport: CurlTransport())
    }

    /// kB, proc(5).
    private static func anonymous(_ pid: Int32) throws -> Int {
        let status = try File.read("/proc/\(pid)/status").text
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    /// Blocks of random bytes, none of which is like another. Returns their SHA-256.
    private static func write(_ size: Int, to path: String) throws -> SHA256Digest {
        let file = try Errno.check { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
        defer { close(file) }
        var block = [UInt8].random(count: 1 << 20)
        var hasher = SHA256Hasher()
        for number in 0..<size >> 20 {
            withUnsafeBytes(of: number) { block.replaceSubrange(0..<8, with: $0) }
            try block.withUnsafeBytes { bytes in
                hasher.update(bytes)
                try File.write(bytes, to: file)
            }
        }
        return hasher.finish()
    }

    private static func digest(of path: String) throws -> SHA256Digest {
        var hasher = SHA256Hasher()
        var offset = 0
        while case let bytes = try File.read(path, at: offset, limit: 1 << 20), !bytes.isEmpty {
            bytes.withUnsafeBytes { hasher.update($0) }
            offset += bytes.count
        }
        return hasher.finish()
    }

    /// The SHA-256 of all bytes, each cut followed by a request for the rest of the same version.
    private static func download(_ path: String, _ size: Int, from agent: AgentClient) async throws -> SHA256Digest {
        var hasher = SHA256Hasher()
        var offset = 0
        var version: String?
        while offset < size {
            do {
                let file = try await agent.file(path, from: offset, version: version)
                try #require(file.range == offset..<size)
                version = file.entry.tag
                for try await bytes in file.body {
                    bytes.withUnsafeBytes { hasher.update($0) }
                    offset += bytes.count
                }
            } catch {
                guard AgentClient.isPassing(error) else { throw error }
            }
        }
        return hasher.finish()
    }
}
