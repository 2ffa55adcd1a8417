import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// A log that continues from segment to segment while it is written and read.
@Suite struct LogRotationTests {
    private let run: TestRun
    private let volume = VolumeWriter()

    init() throws { run = try TestRun() }

    private var names: [String] {
        get throws { try File.list(run.folders.logs).filter { !$0.hasSuffix(".index") } }
    }

    private func sync(_ log: LogWriter) async throws {
        try await within(.seconds(60), "a sync") { await log.sync() }
    }

    private func sealed() async throws {
        // Sealing runs at the lowest priority, so it may take long.
        try await eventuallyTrue("all sealed but the live one", within: .seconds(240)) {
            try names.count { $0.hasSuffix(".log") } == 1
        }
    }

    /// Random pieces go into segments of random sizes, over up to three attempts.
    @Test("the segments of several attempts read back as exactly the bytes that were appended", arguments: 0..<15)
    func oneStream(seed: Int) async throws {
        var random = SeededGenerator(seed: seed)
        var expected: [UInt8] = []
        for attempt in 1...Int.random(in: 1...3, using: &random) {
            let rule = LogRule(segment: Int.random(in: 1...20_000, using: &random))
            let log = try LogWriter(
                .test(attempt, logStart: expected.count), of: run.folders, rule: rule, volume: volume)
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let piece = (0..<Int.random(in: 0...3000, using: &random)).map { _ in
                    Int.random(in: 0..<50, using: &random) == 0 ? 10 : UInt8.random(in: 97...110, using: &random)
                }
                expected += piece
                log.append(piece[...])
                if Int.random(in: 0..<10, using: &random) == 0 { try await sync(log) }
            }
            try await sync(log)
            #expect(log.progress.end == expected.count && log.progress.durable == expected.count)
            #expect(try run.log() == expected)
        }
        try await sealed()
        #expect(try run.log() == expected)
        let stream = try LogStream(of: run.folders)
        for _ in 0..<20 {
            let offset = Int.random(in: 0...expected.count, using: &random)
            let limit = Int.random(in: 1...30_000, using: &random)
            let bytes = try stream.read(at: offset, limit: limit)
            #expect(bytes.elementsEqual(expected[offset...].prefix(bytes.count)))
            #expect(bytes.isEmpty == (offset == expected.count))
        }
    }

    @Test("every log segment ends with a line's end when the lines are short")
    func endsWithLine() async throws {
        let log = try LogWriter(.test(1, logStart: 0), of: run.folders, rule: LogRule(segment: 1000), volume: volume)
        for number in 0..<200 { log.append(Array("line number \(number)\n".utf8)[...]) }
        try await sync(log)
        try await sealed()
        let begins = try names.compactMap { LogSegment(name: $0)?.offset }.dropFirst()
        #expect(begins.count >= 2)
        let bytes = try run.log()
        for begin in begins { #expect(bytes[begin - 1] == 10) }
    }

    @Test("logs/current.log leads to the live segment until another run takes the link")
    func currentLog() async throws {
        let current = CurrentLog(of: run.volume, for: run.folders)
        let log = try LogWriter(
            .test(1, logStart: 0), of: run.folders, rule: LogRule(segment: 100), current: current, volume: volume)
        for number in 0..<100 { log.append(Array("line number \(number)\n".utf8)[...]) }
        try await sync(log)
        let link = try File.readLink(run.volume.currentLog).lastComponent
        #expect(link == (try names.last { $0.hasSuffix(".log") }))
        #expect(try File.read(run.volume.currentLog).text.hasSuffix("line number 99\n"))
        // Another run began in the meantime.
        try File.replaceLink(run.volume.currentLog, to: "../runs/other/logs/x.log")
        log.append(Array(repeating: 10, count: 500)[...])
        try await sync(log)
        #expect(try File.readLink(run.volume.currentLog) == "../runs/other/logs/x.log")
    }

    @Test("a reader of the log gets every byte while segments are sealed and removed")
    func readerUndisturbed() async throws {
        let log = try LogWriter(.test(1, logStart: 0), of: run.folders, rule: LogRule(segment: 5000), volume: volume)
        let stream = try LogStream(of: run.folders)
        let expected = (0..<5000).flatMap { Array("line number \($0)\n".utf8) }
        var read: [UInt8] = []
        for begin in stride(from: 0, to: expected.count, by: 700) {
            log.append(expected[begin..<min(begin + 700, expected.count)])
            try await sync(log)
            read += try stream.read(at: read.count, limit: 300)
        }
        try await sealed()
        while case let more = try stream.read(at: read.count, limit: 300), !more.isEmpty { read += more }
        #expect(read == expected)
    }
}

/// Where a segment ends.
@Suite struct SegmentCutTests {
    private func length(_ text: String, into size: Int = 0, endsLine: Bool = false) -> Int {
        Array(text.utf8).withUnsafeBytes { SegmentCut(limit: 80).length(of: $0, into: size, endsLine: endsLine) }
    }

    @Test("bytes that fit into a log segment go there whole")
    func fits() {
        #expect(length("abc") == 3)
        #expect(length("abc", into: 70) == 3)
    }

    @Test("a log segment is cut after a line's end when one lies near its limit")
    func nearLine() {
        let line = String(repeating: "x", count: 72)
        #expect(length(line + "\nabcdefgh") == 73)
        #expect(length("abc\n" + line + "xxxxxxx\n") == 80, "the only line ends too far before the limit")
        #expect(length("abcdefgh", into: 74, endsLine: true) == 0)
        #expect(length("abc\ndefgh", into: 74) == 4)
    }

    @Test("a log segment without a line's end is cut at its limit")
    func withoutLines() {
        #expect(length(String(repeating: "x", count: 200)) == 80)
        #expect(length("abc", into: 79) == 1)
        #expect(length("abc", into: 80) == 0)
        #expect(length("abc", into: 90) == 0)
    }
}
