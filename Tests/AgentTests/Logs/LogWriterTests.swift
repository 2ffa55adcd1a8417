import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct LogWriterTests {
    private let folder: TemporaryFolder
    private let volume = VolumeWriter()
    private let run: RunFolder
    private var segment: String { run.liveSegmentPath(from: 0, attempt: 1) }
    private static let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 256 << 10)

    init() throws {
        folder = try TemporaryFolder("log")
        run = Volume(root: folder.path).run(try #require(RunID("train")))
        try File.makeFolders(run.logs)
    }

    private func writer(offset: Int = 0) throws -> LogWriter {
        try LogWriter(.test(1, logStart: offset), of: run, rule: LogRule(segment: 1 << 30), volume: volume)
    }

    private func sync(_ log: LogWriter) async throws {
        try await within(.seconds(60), "a sync") { await log.sync() }
    }

    private func append(_ text: String, to log: LogWriter) { log.append(Array(text.utf8)[...]) }

    // MARK: - a healthy volume

    @Test("the log keeps bytes exactly as they came")
    func exactBytes() async throws {
        let log = try writer()
        let pieces: [[UInt8]] = [
            Array("10%|█\r20%|██\r".utf8), [0, 255, 0xc3], [0x28, 10, 13, 10], [], Array(0...255),
        ]
        for piece in pieces { log.append(piece[...]) }
        try await sync(log)
        #expect(try File.read(segment) == pieces.flatMap { $0 })
        #expect(log.progress.end == pieces.flatMap { $0 }.count)
        #expect(log.progress.durable == log.progress.end)
    }

    @Test("offsets in the log count from the first byte of its segment")
    func offsets() async throws {
        let log = try writer(offset: 1000)
        append("12345", to: log)
        try await sync(log)
        #expect(log.progress.end == 1005)
        #expect(log.progress.durable == 1005)
        #expect(try File.read(run.liveSegmentPath(from: 1000, attempt: 1)).text == "12345")
    }

    @Test("a line of the agent begins a new line of the log")
    func agentLines() async throws {
        let log = try writer()
        log.say(.captured("first"))
        append("50%|████\r", to: log)
        log.say(.captured("in the middle"))
        append("a line\n", to: log)
        append("", to: log)
        log.say(.captured("after a line"))
        log.say(.captured(""))
        append("end", to: log)
        try await sync(log)
        #expect(try File.read(segment).text == "first\n50%|████\r\nin the middle\na line\nafter a line\n\nend")
    }

    @Test("log lines that eight threads write at once are not mixed")
    func threads() async throws {
        let log = try writer()
        let ended = Monitor(0)
        for thread in 0..<8 {
            try DedicatedThread.start {
                for number in 0..<500 {
                    let line = "\(thread) \(number) " + String(repeating: "x", count: number % 97)
                    if number % 10 == 0 { log.say(.captured(line)) } else { log.append(Array((line + "\n").utf8)[...]) }
                }
                ended.update { $0 += 1 }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { ended.update { $0 } == 8 }
        try await sync(log)
        var next = [Int](repeating: 0, count: 8)
        for line in try File.read(segment).text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(words.count == 3)
            let (thread, number) = (try #require(Int(words[0])), try #require(Int(words[1])))
            #expect(next[thread] == number && words[2].count == number % 97)
            next[thread] = number + 1
        }
        #expect(next == Array(repeating: 500, count: 8))
    }

    @Test("the log is synced soon without a request")
    func syncsItself() async throws {
        let log = try writer()
        append("a", to: log)
        try await eventuallyTrue(within: .seconds(60)) { log.progress.durable == 1 }
        append("b", to: log)
        try await eventuallyTrue(within: .seconds(60)) { log.progress.durable == 2 }
    }

    @Test("a log whose folder is missing is an error")
    func cannotOpen() throws {
        let none = try Volume(root: folder.path).run(#require(RunID("none")))
        #expect(throws: Problem.self) { try LogWriter(.test(1, logStart: 0), of: none, volume: volume) }
    }

    // MARK: - a slow one

    @Test("appending to the log blocks while the volume hangs and the queue is full, and nothing is lost")
    func boundedQueue() async throws {
        let log = try writer()
        let gate = volume.hang()
        let appended = Monitor(0)
        let count = LogQueue.capacity / Self.piece.count
        try DedicatedThread.start {
            for _ in 0..<count + 4 {
                log.append(Self.piece[...])
                appended.update { $0 += 1 }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { appended.update { $0 } == count }
        // Time for one more, which has no room.
        try await Task.sleep(for: .milliseconds(100))
        #expect(appended.update { $0 } == count)
        #expect(log.progress.end == 0)
        gate.open()
        try await eventuallyTrue(within: .seconds(60)) { appended.update { $0 } == count + 4 }
        try await sync(log)
        #expect(File.status(segment)?.size == (count + 4) * Self.piece.count)
        #expect(log.progress.end == (count + 4) * Self.piece.count)
    }

    // MARK: - a full one

    /// The descriptor by which the segment is open, to put another file in its place.
    private func descriptor(of path: String) throws -> Int32 {
        let names = try File.list("/proc/self/fd").filter { (try? File.readLink("/proc/self/fd/\($0)")) == path }
        return try #require(names.compactMap { Int32($0) }.last)
    }

    /// Makes the descriptor `file` write to `path` from now on.
    private func put(_ path: String, at file: Int32) throws {
        let other = try Errno.check { open(path, O_RDWR | O_CLOEXEC) }
        try Errno.check { dup2(other, file) }
        close(other)
    }

    @Test("a full volume does not block appending to the log, and one LOG GAP line counts the lost bytes")
    func fullVolume() async throws {
        let log = try writer()
        let file = try descriptor(of: segment)
        try put("/dev/full", at: file)
        let count = 3 * LogQueue.capacity / Self.piece.count
        append("first\n", to: log)
        try await sync(log)
        #expect(log.progress.end == 0)
        try await within(.seconds(60), "that nothing blocks") {
            try await DedicatedThread.run { for _ in 0..<count { log.append(Self.piece[...]) } }
        }
        try await sync(log)
        #expect(log.progress.end == 0 && log.progress.durable == 0)

        try put(segment, at: file)
        try await eventuallyTrue(within: .seconds(60)) { (try? File.read(segment).text.contains("LOG GAP")) == true }
        append("later\n", to: log)
        try await sync(log)

        let text = try File.read(segment).text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5 && lines[0] == "first" && lines[3] == "later" && lines[4] == "")
        let kept = lines[1].utf8.count
        #expect(lines[1].allSatisfy { $0 == "x" })
        #expect(kept >= LogQueue.capacity - Self.piece.count && kept <= LogQueue.capacity)
        let dropped = count * Self.piece.count - kept
        #expect(lines[2] == "LOG GAP: \(dropped) bytes could not be kept (No space left on device)")
        #expect(log.progress.end == text.utf8.count)
        #expect(log.progress.durable == log.progress.end)

        // The gap is reported only once.
        append("on\n", to: log)
        try await sync(log)
        #expect(try File.read(segment).text == text + "on\n")
    }
}
