import Shared
import TestSupport
import Testing

@Suite struct LogStreamTests {
    private let folder: TemporaryFolder
    private let run: RunFolder

    init() throws {
        folder = try TemporaryFolder("volume")
        run = Volume(root: folder.path).run(try #require(RunID("train")))
    }

    private func segment(_ offset: Int, _ attempt: Int, _ text: String) throws {
        try File.makeFolders(run.logs)
        try File.write(Array(text.utf8), over: run.liveSegmentPath(from: offset, attempt: attempt))
    }

    /// Reads the log from `offset` to its end, at most `limit` bytes at a time.
    private func read(from offset: Int = 0, limit: Int = 1000) throws -> String {
        let stream = try LogStream(of: run)
        var bytes: [UInt8] = []
        while true {
            let more = try stream.read(at: offset + bytes.count, limit: limit)
            #expect(more.count <= limit)
            if more.isEmpty { return bytes.text }
            bytes += more
        }
    }

    @Test("the log of a run without segments is empty")
    func noLog() throws {
        #expect(try LogStream(of: run).end == 0)
        #expect(try read() == "")
        try File.makeFolders(run.logs)
        #expect(try LogStream(of: run).end == 0)
        #expect(try read() == "")
    }

    @Test("a log of several segments is read from any offset, with reads of any size", arguments: [1, 3, 4, 1000])
    func segments(_ limit: Int) throws {
        try segment(0, 1, "0123")
        try segment(4, 2, "45")
        try segment(6, 3, "6789")
        #expect(try LogStream(of: run).end == 10)
        for offset in 0...10 {
            #expect(try read(from: offset, limit: limit) == String("0123456789".dropFirst(offset)))
        }
        #expect(try read(from: 11, limit: limit) == "")
    }

    @Test("the log ends where a full segment lost its end in a host's crash")
    func lostEnd() throws {
        try segment(0, 1, "0123")
        try segment(4, 1, "4")
        try segment(6, 1, "6789")
        #expect(try LogStream(of: run).end == 5)
        #expect(try read() == "01234")
    }

    @Test("bytes that a stale attempt wrote after the next attempt began are not part of the log")
    func staleBytes() throws {
        try segment(0, 1, "0123STALE AND LONG")
        try segment(4, 2, "45")
        #expect(try read(limit: 3) == "012345")
        #expect(try LogStream(of: run).end == 6)
        // This holds even before the next attempt has written anything.
        try segment(4, 2, "")
        #expect(try read() == "0123")
        #expect(try LogStream(of: run).end == 4)
    }

    @Test("empty segments do not change the log")
    func emptySegments() throws {
        try segment(0, 1, "")
        try segment(0, 2, "")
        try segment(0, 3, "012")
        try segment(3, 4, "")
        try segment(3, 5, "")
        #expect(try read() == "012")
        #expect(try LogStream(of: run).end == 3)
        try segment(3, 5, "34")
        #expect(try read() == "01234")
    }

    @Test("reading a missing range of the log fails and names its bytes")
    func missingRange() throws {
        try segment(0, 1, "01")
        try segment(4, 2, "45")
        let stream = try LogStream(of: run)
        #expect(try stream.read(at: 0, limit: 10).text == "01")
        let problem = #expect(throws: Problem.self) { try stream.read(at: 2, limit: 10) }
        #expect(problem?.sentence == "the log lacks bytes 2 to 3")
        #expect(try stream.read(at: 4, limit: 10).text == "45")
    }

    @Test("other files in the log's folder are not part of the log")
    func otherFiles() throws {
        try segment(0, 1, "01")
        for name in ["notes.log", "00000000000000000002.txt", "current"] {
            try File.write(Array("x".utf8), over: "\(run.logs)/\(name)")
        }
        #expect(try read() == "01")
    }

    @Test("an open log stream reads bytes that are written later")
    func growth() throws {
        try segment(0, 1, "01")
        let stream = try LogStream(of: run)
        try segment(0, 1, "0123")
        #expect(try stream.end == 4)
        #expect(try stream.read(at: 2, limit: 10).text == "23")
    }
}
