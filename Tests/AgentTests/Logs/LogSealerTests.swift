import FoundationEssentials
import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The folder of a log while its segments are sealed and removed, also by an agent that dies at any moment.
@Suite struct LogSealerTests {
    private let folder: TemporaryFolder
    private let run: RunFolder
    private let volume = VolumeWriter()

    init() throws {
        folder = try TemporaryFolder("log")
        run = Volume(root: folder.path).run(try #require(RunID("train")))
        try File.makeFolders(run.logs)
        try File.makeFolders(run.attempts)
    }

    private var names: [String] { get throws { try File.list(run.logs).filter { !$0.hasSuffix(".index") } } }

    private func plain(_ offset: Int, _ attempt: Int, _ bytes: [UInt8]) throws {
        try File.write(bytes, over: run.liveSegmentPath(from: offset, attempt: attempt))
    }

    private func text(_ offset: Int, _ attempt: Int, _ text: String) throws {
        try plain(offset, attempt, Array(text.utf8))
    }

    /// Seals all that an attempt can seal whose live segment begins at `offset`.
    /// Makes another agent the owner of the run.
    private func own(_ attempt: Int) throws {
        let claim = Claim(
            number: attempt, pod: "other", launch: "L2", lineage: "L2", logStart: 4, stream: "stream\(attempt)",
            processes: [], claimed: Date())
        try File.write(try JSON.encode(claim), over: run.claimPath(attempt))
    }

    private func seal(_ attempt: Int, from offset: Int, keep: Int = .max) throws {
        try LogSealer(.test(attempt, logStart: offset), of: run, keep: keep, volume: volume) { _, _ in }.sealAll()
    }

    private func read(from offset: Int = 0, limit: Int = 1 << 20) throws -> [UInt8] {
        let stream = try LogStream(of: run)
        var bytes: [UInt8] = []
        while case let more = try stream.read(at: offset + bytes.count, limit: limit), !more.isEmpty { bytes += more }
        return bytes
    }

    /// Reads the log as a person would: `zcat` of the sealed segments, then `cat` of the live one.
    private func readByHand() throws -> [UInt8] {
        let script = "cd \(run.logs) && if ls *.log.gz >/dev/null 2>&1; then zcat *.log.gz; fi && cat *.log"
        return try Command.run(["sh", "-c", script]).output
    }

    // MARK: - sealing

    @Test("every log segment but the live one is sealed, and zcat and cat give the whole log")
    func allButLive() throws {
        try text(0, 1, "0123")
        try text(4, 1, "45")
        try text(6, 2, "6789")
        try text(10, 3, "ab")
        try seal(3, from: 10)
        #expect(
            try names == [
                "00000000000000000000.log.gz", "00000000000000000004.log.gz", "00000000000000000006.log.gz",
                "00000000000000000010-a0003.log",
            ])
        #expect(try read().text == "0123456789ab")
        #expect(try readByHand().text == "0123456789ab")
        for offset in 0...12 {
            #expect(try read(from: offset, limit: 3).text == String("0123456789ab".dropFirst(offset)))
        }
        #expect(try LogStream(of: run).end == 12)
    }

    /// A network volume over its quota may accept bytes and lose them.
    @Test("zeros stand for the bytes of a log segment that the volume lost")
    func lostBytes() async throws {
        try text(0, 1, "0123")
        try text(4, 2, "4")
        try text(9, 2, "9a")
        let lost = Mutex<[Range<Int>]>([])
        let sealer = LogSealer(.test(2, logStart: 4), of: run, keep: .max, volume: volume) { segment, range in
            #expect(segment == 4)
            lost.withLock { $0.append(range) }
        }
        sealer.begin(try LiveSegment(from: 9, attempt: 2, in: run))
        try await eventuallyTrue("the report of the lost bytes", within: .seconds(60)) {
            lost.withLock { $0 } == [5..<9]
        }
        #expect(try read().text == "01234\0\0\0\09a")
        #expect(try readByHand().text == "01234\0\0\0\09a")
    }

    /// A network volume that has lost the only copy may come back, so the sealer tries again for a while.
    @Test("a log segment that stays unreadable is moved to torn/ at a timeout, and zeros stand for its bytes")
    func unreadableSegment() async throws {
        try text(0, 1, "0123")
        // The file can be opened, but reading it gives EIO.
        let unreadable = run.liveSegmentPath(from: 4, attempt: 2)
        try File.replaceLink(unreadable, to: "/proc/self/mem")
        try text(9, 2, "9a")
        let lost = Mutex<[Range<Int>]>([])
        let sealer = LogSealer(
            .test(2, logStart: 4), of: run, keep: .max, volume: volume, pause: .milliseconds(100), timeout: .seconds(1)
        ) { _, range in lost.withLock { $0.append(range) } }
        let start = ContinuousClock.now
        sealer.begin(try LiveSegment(from: 9, attempt: 2, in: run))
        try await eventuallyTrue("several tries", within: .seconds(60)) { sealer.failures > 2 }
        try await eventuallyTrue("the report of the lost bytes", within: .seconds(60)) {
            lost.withLock { $0 } == [4..<9]
        }
        #expect(start.duration(to: .now) > .seconds(1))
        #expect(try read().text == "0123\0\0\0\0\09a")
        #expect(try File.list(run.torn) == [unreadable.lastComponent])
        #expect(File.status(unreadable) == nil)
    }

    @Test("log bytes that an attempt wrote beyond the next attempt's first offset are cut")
    func staleBytes() throws {
        try text(0, 1, "0123STALE")
        try text(4, 2, "45")
        try text(6, 3, "")
        // The first attempt began this segment after the second had begun.
        try text(5, 1, "MORE STALE")
        #expect(try read().text == "012345")
        try seal(3, from: 6)
        #expect(
            try names == [
                "00000000000000000000.log.gz", "00000000000000000004.log.gz", "00000000000000000006-a0003.log",
            ])
        #expect(try readByHand().text == "012345")
    }

    @Test("log segments that a stale attempt sealed are removed")
    func staleSealed() throws {
        try text(0, 1, "0123")
        try text(4, 2, "4567")
        try seal(2, from: 4)
        try text(8, 2, "STALE")
        try text(9, 2, "")
        try seal(2, from: 9)
        #expect(try names.contains("00000000000000000008.log.gz"))
        try text(6, 3, "67")
        try seal(3, from: 6)
        #expect(
            try names == [
                "00000000000000000000.log.gz", "00000000000000000004.log.gz", "00000000000000000006-a0003.log",
            ])
        #expect(try read().text == "01234567")
    }

    @Test("empty log segments of earlier attempts are removed")
    func emptySegments() throws {
        try text(0, 1, "")
        try text(0, 2, "01")
        try text(2, 3, "")
        try text(2, 4, "")
        try seal(4, from: 2)
        #expect(try names == ["00000000000000000000.log.gz", "00000000000000000002-a0004.log"])
    }

    @Test("no log segment is sealed in a run that has another owner")
    func otherOwner() throws {
        try text(0, 1, "01")
        try text(2, 2, "23")
        let before = try names
        try own(3)
        try seal(2, from: 2)
        #expect(try names == before)
    }

    @Test("no log segment is sealed once the volume is fenced")
    func fenced() throws {
        try text(0, 1, "01")
        try text(2, 2, "23")
        let before = try names
        volume.fence()
        try seal(2, from: 2)
        #expect(try names == before)
    }

    // MARK: - after the death of an agent

    /// For each segment a death leaves the plain one, the plain one with half of a sealed one,
    /// the plain and the sealed one, or the sealed one.
    @Test(
        "the log is whole after the sealing agent died at any moment, before and after the next one seals",
        arguments: 0..<40)
    func anyDeath(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        var expected: [UInt8] = []
        var attempt = 1
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            if Bool.random(using: &random) { attempt += 1 }
            let bytes = (0..<Int.random(in: 1...5000, using: &random)).map { _ in
                UInt8.random(in: 97...105, using: &random)
            }
            let stale = Bool.random(using: &random) ? Array("STALE".utf8) : []
            try plain(expected.count, attempt, bytes + stale)
            expected += bytes
        }
        let all = try names
        let copies = try all.map { ($0, try File.read("\(run.logs)/\($0)")) }
        attempt += 1
        let end = expected.count
        try text(end, attempt, "")
        try seal(attempt, from: end)
        #expect(try read() == expected)
        // Restores what a death at some moment would have left.
        for (name, bytes) in copies {
            let path = "\(run.logs)/\(name)"
            let sealed = run.sealedSegmentPath(from: try #require(LogSegment(name: name)).offset)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: try File.write(bytes, over: path)
            case 1:
                let half = try File.read(sealed)
                try File.remove(sealed)
                try File.write(Array(half.prefix(half.count / 2)), over: "\(path.dropLast(4)).log.gz.new")
                try File.write(bytes, over: path)
            case 2:
                try File.remove(sealed)
                try File.write(bytes, over: path)
            default: break
            }
            #expect(try read() == expected, "before the next agent seals")
        }
        attempt += 1
        try text(end, attempt, "live")
        expected += Array("live".utf8)
        #expect(try read() == expected)
        try seal(attempt, from: end)
        #expect(try read(limit: Int.random(in: 1...3000, using: &random)) == expected)
        #expect(try readByHand() == expected)
        #expect(try names.dropLast().allSatisfy { $0.hasSuffix(".log.gz") })
        let offset = Int.random(in: 0...expected.count, using: &random)
        #expect(try read(from: offset) == Array(expected[offset...]))
    }

    // MARK: - retries and removal

    /// Each try reads all segments.
    @Test("sealing the log is retried only after a pause, however many segments begin")
    func retryPause() async throws {
        try text(0, 1, "0123")
        // A folder lies where the sealer's staging file belongs.
        let obstacle = "\(run.logs)/00000000000000000000-a0001.log.gz.new"
        try File.makeFolders(obstacle)
        let sealer = LogSealer(
            .test(1, logStart: 0), of: run, keep: .max, volume: volume, pause: .milliseconds(50)
        ) { _, _ in }
        let start = ContinuousClock.now
        sealer.begin(try LiveSegment(from: 4, attempt: 1, in: run))
        try await eventuallyTrue("a try that failed") { sealer.failures > 0 }
        for offset in 5...20 { sealer.begin(try LiveSegment(from: offset, attempt: 1, in: run)) }
        try await eventuallyTrue("five tries") { sealer.failures >= 5 }
        let failures = sealer.failures
        #expect(start.duration(to: .now) >= .milliseconds(50) * (failures - 1))
        try File.removeTree(obstacle)
        try await eventuallyTrue("all sealed but the live one", within: .seconds(240)) {
            try names.filter { !$0.hasSuffix(".gz") }.count == 1
        }
    }

    @Test("above its limit the log loses its oldest sealed segments, never the live one")
    func oldestFirst() throws {
        var random = SeededGenerator(seed: 1)
        for number in 0..<10 {
            try plain(number * 1000, 1, (0..<1000).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        try text(10_000, 2, "live")
        // Random bytes do not compress: each segment takes a little more than 1000 bytes.
        try seal(2, from: 10_000, keep: 3_500)
        #expect(
            try names == [7, 8, 9].map { "0000000000000000\($0)000.log.gz" } + ["00000000000000010000-a0002.log"])
        let stream = try LogStream(of: run)
        #expect(stream.begin == 7000)
        let problem = #expect(throws: Problem.self) { try stream.read(at: 6999, limit: 10) }
        #expect(problem?.hint == "resume at byte 7000")
        #expect(try read(from: 7000).count == 3004)
        try seal(2, from: 10_000, keep: 0)
        #expect(try names == ["00000000000000010000-a0002.log"])
        #expect(try read(from: 10_000).text == "live")
    }

    @Test("the index of a removed log segment is removed too")
    func indexRemoved() throws {
        try text(0, 1, "0123")
        try text(4, 2, "4567")
        try text(8, 3, "89")
        for (offset, attempt) in [(0, 1), (4, 2), (8, 3)] {
            try File.write([], over: run.logIndexPath(from: offset, attempt: attempt))
        }
        let size = try {
            try seal(3, from: 8)
            return try #require(File.status(run.sealedSegmentPath(from: 4))?.size)
        }()
        try seal(3, from: 8, keep: size)
        #expect(
            try File.list(run.logs) == [
                "00000000000000000004-a0002.index", "00000000000000000004.log.gz", "00000000000000000008-a0003.index",
                "00000000000000000008-a0003.log",
            ])
    }
}
