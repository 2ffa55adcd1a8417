import Foundation
import HTTPClient
import Shared
import Testing

@testable import Launcher

/// A run that is read through an agent into the cache of this machine.
@Suite struct AgentSourceTests {
    private let test: TestWorld
    private let run: RunFixture
    private let agent: FileServingTransport
    private let source: AgentSource

    init() throws {
        test = try TestWorld()
        run = try test.run()
        agent = FileServingTransport(root: test.provider.volume.root)
        source = AgentSource(
            original: test.provider.volume, place: "elsewhere", cache: Volume(root: "\(test.home)/cache")
        ) { [agent] in agent.client }
        try run.record(try run.claim())
        try File.write(Array(#"{"beat": 1}"#.utf8), over: run.folder.beatPath(1))
    }

    private func load(_ parts: Set<RunPart> = []) async throws -> RunFolder {
        try await source.folder(of: run.id, with: parts)
    }

    private func log(of folder: RunFolder, from offset: Int = 0) throws -> String {
        let log = try LogStream(of: folder)
        var bytes: [UInt8] = []
        while case let more = try log.read(at: offset + bytes.count, limit: 100), !more.isEmpty { bytes += more }
        return bytes.text
    }

    private func seal(_ text: String, from offset: Int) throws {
        let path = run.folder.sealedSegmentPath(from: offset)
        var compressed: [UInt8] = []
        let deflater = try Deflater()
        Array(text.utf8).withUnsafeBytes { bytes in deflater.add(bytes) { compressed += $0 } }
        deflater.finish { compressed += $0 }
        try File.write(compressed, over: path)
        try File.remove(run.folder.liveSegmentPath(from: offset, attempt: 1))
    }

    @Test("the cache holds the claims, records, heartbeats, receipts and the log as the volume has them")
    func everything() async throws {
        try run.log("hello\n")
        try File.makeFolders(run.folder.receipts)
        try File.write(Array("{}".utf8), over: run.folder.receiptPath(of: "checkpoint-1"))
        let cached = try await load([.receipts, .log(from: 0)])
        #expect(cached.path == "\(test.home)/cache/runs/demo")
        #expect(try cached.claims() == (try run.folder.claims()))
        #expect(try cached.readRecord(1) == (try run.folder.readRecord(1)))
        #expect(try File.read(cached.beatPath(1)).text == #"{"beat": 1}"#)
        #expect(try File.read(cached.receiptPath(of: "checkpoint-1")).text == "{}")
        #expect(try log(of: cached) == "hello\n")
    }

    @Test("only changed bytes are fetched again")
    func changedBytes() async throws {
        for number in 2...5 { try run.record(try run.claim(number)) }
        try run.log("hello\n")
        _ = try await load([.log(from: 0)])
        _ = agent.takeAsked()
        _ = try await load([.log(from: 0)])
        let (again, bytes) = agent.takeAsked()
        #expect(bytes == 0)
        // The listings, the spec, and the records of the last two attempts, which may have changed.
        #expect(
            again.map { $0.replacing("runs/demo/", with: "") } == [
                "attempts", "run.json", "attempts/0004.json", "attempts/0005.json", "logs",
            ])
        try run.log("hello\nworld\n")
        try File.write(Array(#"{"beat": 2}"#.utf8), over: run.folder.beatPath(5))
        let cached = try await load([.log(from: 0)])
        let (asked, sent) = agent.takeAsked()
        #expect(asked.contains { $0.hasSuffix("a0001.log bytes=6-11") })
        #expect(sent == 6 + 11)
        #expect(try log(of: cached) == "hello\nworld\n")
    }

    @Test("a segment that is sealed meanwhile takes the place of its plain form, and is fetched once")
    func sealing() async throws {
        try run.log("hello\n")
        _ = try await load([.log(from: 0)])
        try seal("hello\n", from: 0)
        try run.log("world\n", from: 6)
        // The end alone is asked for, and the beginning stays readable.
        let cached = try await load([.logEnd])
        #expect(try log(of: cached) == "hello\nworld\n")
        #expect(try File.list(cached.logs) == (try File.list(run.folder.logs)))
        _ = agent.takeAsked()
        _ = try await load([.log(from: 0)])
        #expect(agent.takeAsked().bytes == 0)
    }

    @Test("a plain segment of which the cache has a part is completed before the end of the log is read")
    func partialSegment() async throws {
        try run.log("he")
        _ = try await load([.log(from: 0)])
        let block = String(repeating: "x", count: 1 << 20)
        try run.log("hello\n")
        try run.log(block, from: 6)
        try run.log(block, from: 6 + (1 << 20))
        try run.log("end\n", from: 6 + (2 << 20))
        let cached = try await load([.logEnd])
        #expect(try LogStream(of: cached).end == 10 + (2 << 20))
        #expect(try log(of: cached, from: 6 + (2 << 20)) == "end\n")
    }

    @Test("a segment that is sealed after its folder was listed is read in its new form")
    func sealedAfterListing() async throws {
        try run.log("hello\n")
        agent.beforeAnswer { [agent] path in
            guard path.hasSuffix(".log") else { return }
            agent.beforeAnswer(nil)
            try seal("hello\n", from: 0)
        }
        #expect(try log(of: try await load([.log(from: 0)])) == "hello\n")
    }

    @Test("the end of a live segment that its host lost is cut off in the cache")
    func lostEnd() async throws {
        try run.log("hello\nworld\n")
        _ = try await load([.log(from: 0)])
        try run.log("hello\n")
        #expect(try log(of: try await load([.log(from: 0)])) == "hello\n")
    }

    @Test("a run that was deleted and begun anew leaves nothing of the old one in the cache")
    func otherRun() async throws {
        try run.log("old\n")
        _ = try await load([.log(from: 0)])
        try File.removeTree(run.folder.path)
        let other = try test.run()
        try other.claim(pod: "pod-2")
        let cached = try await load([.logEnd])
        #expect(try cached.claims().map(\.pod) == ["pod-2"])
        #expect(try log(of: cached) == "")
        #expect(try cached.readRecord(1) == nil)
    }

    @Test("a run that is deleted is removed from the cache")
    func deleted() async throws {
        _ = try await load()
        try File.removeTree(run.folder.path)
        let cached = try await load()
        #expect(try cached.claims().isEmpty)
        #expect(try !File.exists(cached.path))
    }

    @Test("a connection that breaks is tried again, and a lasting failure is reported")
    func passing() async throws {
        agent.refuse(Array(repeating: HTTPError(.unreachable, "cut"), count: 3))
        #expect(try await load().claims().count == 1)
        var source = source
        source.timeout = .milliseconds(50)
        agent.refuse(Array(repeating: HTTPError(.unreachable, "cut"), count: 1000))
        let error = await #expect(throws: HTTPError.self) { try await source.folder(of: run.id, with: []) }
        #expect(error?.message == "cut")
    }

    @Test("a name that leads out of the folder is refused", arguments: ["../x.json", "..", "", "a/b.json"])
    func hostileName(name: String) async throws {
        agent.list([FolderEntry(name: name, kind: .file, size: 1, modified: 1)])
        let problem = await #expect(throws: Problem.self) { try await load([.receipts]) }
        #expect(problem?.sentence.contains("which is no file name") == true)
    }

    @Test("files that no run has are not fetched")
    func strangeNames() async throws {
        let names = [
            "x.sh", "0002.claim.exe", "+002.claim", "00000000000000000000.log.gz.x", "0000000000000000000x.log.gz",
        ]
        agent.list(names.map { FolderEntry(name: $0, kind: .file, size: 1, modified: 1) })
        let cached = try await load([.receipts, .log(from: 0)])
        #expect(try File.list(cached.path) == ["attempts", "logs"])
        #expect(try File.list(cached.attempts) == ["0001.beat", "0001.claim", "0001.json"])
        #expect(try File.list(cached.logs).isEmpty)
    }
}
