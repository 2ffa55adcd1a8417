import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// How long a save took, for a watch that scans once a second. The test sets the clock and the files' times.
@Suite struct SaveTimeTests {
    private let run: TestRun
    private let watch: CheckpointWatch
    private let step = Monitor<Double?>(7)
    /// The birth times of files by name, in nanoseconds since 1970.
    private let creations = Monitor<[String: Int]>([:])
    private let start = ContinuousClock.now
    private static let now = Int(Date().timeIntervalSince1970) + 1_000_000
    private static let date = Date(timeIntervalSince1970: Double(now))

    init() throws {
        run = try TestRun()
        let receipts = try #require(try run.receipts(CheckpointRule(path: "out", names: ["final"])))
        watch = CheckpointWatch(
            receipts: receipts, open: { [] },
            created: { [creations] path in creations.read { $0[path.lastComponent] } },
            quietOfFirst: .seconds(2)
        ) { [step] in
            step.read { $0 }
        }
        try watch.begin()
    }

    private func scan(_ seconds: ClosedRange<Int>) throws {
        for second in seconds {
            try watch.scan(at: start + .seconds(second), date: Self.date + Double(second))
        }
    }

    /// Writes a file with a modification time of `seconds` after the start.
    private func write(_ file: String, at seconds: Double, _ text: String = "x") throws {
        let path = "\(run.folders.work)/out/\(file)"
        try File.makeFolders(path.parentFolder)
        try File.write(Array(text.utf8), over: path)
        let time = timespec(tv_sec: Self.now + Int(seconds), tv_nsec: Int((seconds - Double(Int(seconds))) * 1e9))
        try Errno.check { utimensat(AT_FDCWD, path, [time, time], 0) }
    }

    /// Scans until the save is proven. Returns its seconds and the step at its beginning, from the receipt.
    private func save(from second: Int) throws -> [Double?] {
        try scan(second...second + 2)
        step.update { $0 = ($0 ?? 0) + 92 }
        try scan(second + 3...second + 4)
        let receipt = try #require(try run.folders.allReceipts().max { $0.modified < $1.modified })
        return [receipt.saveSeconds.map { ($0 * 10).rounded() / 10 }, receipt.stepAtSave]
    }

    @Test("a save of several files lasts from the first file's time to the last one's")
    func severalFiles() throws {
        try scan(0...10)
        try write("checkpoint-10/a", at: 10.4)
        try scan(11...12)
        try write("checkpoint-10/b", at: 12.5)
        try scan(13...14)
        try write("checkpoint-10/c", at: 14.9)
        #expect(try save(from: 15) == [4.5, 7])
    }

    @Test("a save with pauses longer than the quiet time counts as one save")
    func slowSave() throws {
        try scan(0...10)
        try write("checkpoint-10/a", at: 10.5)
        try scan(11...20)
        try write("checkpoint-10/b", at: 20.5)
        #expect(try save(from: 21) == [10, 7])
    }

    @Test("a save of one growing file lasts from the first to the last write that was seen")
    func growingFile() throws {
        try scan(0...10)
        for (second, text) in [(11, "x"), (12, "xx"), (13, "xxx")] {
            try write("checkpoint-10", at: Double(second) - 0.2, text)
            try scan(second...second)
        }
        #expect(try save(from: 14) == [2, 7])
    }

    /// A training may copy files with their times.
    @Test("file times from before a save do not make the save longer")
    func oldTimes() throws {
        try scan(1...10)
        try write("checkpoint-10/a", at: -2_000_000)
        try write("checkpoint-10/b", at: 10.5)
        #expect(try save(from: 11) == [0, 7])
        try scan(16...20)
        try write("checkpoint-20/a", at: 9)
        try write("checkpoint-20/b", at: 20.1)
        try write("checkpoint-20/c", at: 20.5)
        #expect(try save(from: 21) == [0.4, 99])
    }

    /// All files appear at once.
    @Test("a save that was renamed into place lasts from its first file's time to its last one's")
    func renamedFolder() throws {
        try scan(0...10)
        for (file, time) in [("a", 3.5), ("b", 8.0), ("c", 10.5)] { try write("checkpoint-10/\(file)", at: time) }
        #expect(try save(from: 11) == [7, 7])
    }

    @Test("a save of one renamed file lasts from the file's birth to its last write")
    func renamedFile() throws {
        try scan(0...10)
        creations.update { $0 = ["checkpoint-10": (Self.now + 4) * 1_000_000_000] }
        try write("checkpoint-10", at: 10.5)
        #expect(try save(from: 11) == [6.5, 7])
        // An overwritten file keeps its birth time, which then says nothing about the save.
        creations.update { $0 = ["checkpoint-20": (Self.now + 4) * 1_000_000_000] }
        try scan(16...20)
        try write("checkpoint-20", at: 20.5)
        #expect(try save(from: 21) == [0, 99])
    }

    @Test("a file's birth time stays the same through a write and a rename")
    func birthTime() async throws {
        let path = "\(run.folders.work)/file"
        let before = Int(Date().timeIntervalSince1970 * 1e9)
        try File.write([1], over: path)
        let born = try #require(BirthTime.of(path), "this file system keeps no birth times")
        // The kernel's clock for file times ticks at least 100 times a second.
        #expect(abs(born - before) < 1_000_000_000)
        try await eventuallyTrue("a later time") {
            try File.write([2], over: path)
            return try #require(File.status(path)).modified > born
        }
        try File.move(path, to: path + "2")
        #expect(BirthTime.of(path + "2") == born)
        #expect(BirthTime.of(path) == nil)
    }

    @Test("a save that is a single write takes 0 seconds")
    func singleWrite() throws {
        try scan(0...10)
        try write("checkpoint-10/a", at: 10.5)
        #expect(try save(from: 11) == [0, 7])
    }

    @Test("each save of a fixed name has a time of its own")
    func savedAgain() throws {
        try scan(0...10)
        try write("final/a", at: 10.4)
        try write("final/b", at: 10.9)
        #expect(try save(from: 11) == [0.5, 7])
        try scan(16...100)
        try write("final/a", at: 100.2, "y")
        try scan(101...102)
        try write("final/b", at: 103.4, "y")
        #expect(try save(from: 104) == [3.2, 99])
        // This save is overwritten before it is proven.
        try write("final/a", at: 110.2, "z")
        try scan(111...114)
        try write("final/a", at: 120.2, "z")
        try write("final/b", at: 121.2, "z")
        try scan(122...124)
        step.update { $0 = 301 }
        try scan(125...125)
        let receipt = try #require(try run.folders.allReceipts().max { $0.modified < $1.modified })
        #expect(receipt.saveSeconds == 1 && receipt.stepAtSave == 191)
    }
}
