import Shared
import TestSupport
import Testing

/// The index that maps times to offsets of the log.
@Suite struct LogIndexTests {
    private let folder: TemporaryFolder
    private let run: RunFolder

    init() throws {
        folder = try TemporaryFolder("volume")
        run = Volume(root: folder.path).run(try #require(RunID("train")))
        try File.makeFolders(run.logs)
    }

    private func index(_ begin: Int, _ attempt: Int, _ entries: [(Int, Int)], damage: [UInt8] = []) throws {
        let lines = entries.flatMap { LogIndex.Entry(time: $0.0, offset: $0.1).line }
        try File.write(lines + damage, over: run.logIndexPath(from: begin, attempt: attempt))
    }

    private func offset(_ time: Int) throws -> Int { try LogIndex.offset(at: time, in: run) }

    @Test("an entry of the log index is a line of 32 bytes, and a damaged line is no entry")
    func entry() {
        let entry = LogIndex.Entry(time: 1_800_000_000, offset: 12_345)
        #expect(entry.line.text == "1800000000 00000000000000012345\n")
        #expect(LogIndex.Entry(line: entry.line) == entry)
        for line in ["", "\n", String(repeating: "\0", count: 32), "1800000000 0000000000000001234x\n"] {
            #expect(LogIndex.Entry(line: Array(line.utf8)) == nil)
        }
    }

    @Test("any time maps to offset 0 of a log without an index")
    func noIndex() throws {
        #expect(try offset(100) == 0)
        try index(0, 1, [])
        #expect(try offset(100) == 0)
    }

    @Test("the log index maps a time to its last entry that is not later")
    func lookup() throws {
        try index(0, 1, [(100, 0), (105, 50), (110, 90)])
        for (time, expected) in [(0, 0), (99, 0), (100, 0), (104, 0), (105, 50), (109, 50), (110, 90), (999, 90)] {
            #expect(try offset(time) == expected, "\(time)")
        }
    }

    @Test("the log index ignores what a stale attempt wrote after its successor began")
    func attempts() throws {
        // The first attempt continued after the second had begun.
        try index(0, 1, [(100, 0), (105, 50), (110, 90), (300, 200)])
        try index(120, 2, [(200, 120), (205, 150)])
        try index(160, 3, [])
        for (time, expected) in [(99, 0), (104, 0), (110, 90), (199, 90), (200, 120), (300, 150)] {
            #expect(try offset(time) == expected, "\(time)")
        }
    }

    @Test("the log index ignores the zeros that a power loss left at its end", arguments: [0, 1, 31, 32, 100])
    func powerLoss(_ zeros: Int) throws {
        try index(0, 1, [(100, 0), (105, 50)], damage: [UInt8](repeating: 0, count: zeros))
        #expect(try offset(104) == 0)
        #expect(try offset(999) == 50)
    }
}
