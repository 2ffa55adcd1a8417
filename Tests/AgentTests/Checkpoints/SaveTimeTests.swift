import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// How long a save took, as a watch that looks once in a second sees it. The clocks and the files' times are the test's.
@Suite struct SaveTimeTests {
    private let run: TestRun
    private let watch: CheckpointWatch
    private let step = Monitor<Double?>(7)
    /// When files were created, by their names.
    private let creations = Monitor<[String: Int]>([:])
    private let start = ContinuousClock.now
    private static let now = Int(Date().timeIntervalSince1970) + 1_000_000
    private static let date = Date(timeIntervalSince1970: Double(now))

    init() throws {
        run = try TestRun()
        let receipts = try #require(try run.receipts(CheckpointRule(path: "out", names: ["final"])))
        watch = CheckpointWatch(
            receipts: receipts, open: { [] }, created: { [creations] path in creations.read { $0[path.lastComponent] } }
        ) { [step] in
            step.read { $0 }
        }
        try watch.begin()
    }

    private func look(_ seconds: ClosedRange<Int>) throws {
        for second in seconds {
            try watch.scan(at: start + .seconds(second), date: Self.date + Double(second))
        }
    }

    /// A file that was last written so many seconds after the start.
    private func write(_ file: String, at seconds: Double, _ text: String = "x") throws {
        let path = "\(run.folders.work)/out/\(file)"
        try File.makeFolders(path.parentFolder)
        try File.write(Array(text.utf8), over: path)
        let time = timespec(tv_sec: Self.now + Int(seconds), tv_nsec: Int((seconds - Double(Int(seconds))) * 1e9))
        try Errno.check { utimensat(AT_FDCWD, path, [time, time], 0) }
    }

    /// Of the receipt that follows; the step that was told at its beginning.
    private func save(from second: Int) throws -> [Double?] {
        try look(second...second + 2)
        step.update { $0 = ($0 ?? 0) + 92 }
        try look(second + 3...second + 4)
        let receipt = try #require(try run.folders.allReceipts().last)
        return [receipt.saveSeconds.map { ($0 * 10).rounded() / 10 }, receipt.stepAtSave]
    }

    @Test func fileByFile() throws {
        try look(0...10)
        try write("checkpoint-10/a", at: 10.4)
        try look(11...12)
        try write("checkpoint-10/b", at: 12.5)
        try look(13...14)
        try write("checkpoint-10/c", at: 14.9)
        #expect(try save(from: 15) == [4.5, 7])
    }

    /// The pauses between its writes are longer than a save has to be quiet.
    @Test func aSlowOne() throws {
        try look(0...10)
        try write("checkpoint-10/a", at: 10.5)
        try look(11...20)
        try write("checkpoint-10/b", at: 20.5)
        #expect(try save(from: 21) == [10, 7])
    }

    @Test func oneFileThatGrows() throws {
        try look(0...10)
        for (second, text) in [(11, "x"), (12, "xx"), (13, "xxx")] {
            try write("checkpoint-10", at: Double(second) - 0.2, text)
            try look(second...second)
        }
        #expect(try save(from: 14) == [2, 7])
    }

    /// What is copied with its times was not written in this save.
    @Test func oldTimes() throws {
        try look(1...10)
        try write("checkpoint-10/a", at: -2_000_000)
        try write("checkpoint-10/b", at: 10.5)
        #expect(try save(from: 11) == [0, 7])
        try look(16...20)
        try write("checkpoint-20/a", at: 9)
        try write("checkpoint-20/b", at: 20.1)
        try write("checkpoint-20/c", at: 20.5)
        #expect(try save(from: 21) == [0.4, 99])
    }

    /// As it is where it is written aside: all of it comes at once.
    @Test func renamedAsAWhole() throws {
        try look(0...10)
        for (file, time) in [("a", 3.5), ("b", 8.0), ("c", 10.5)] { try write("checkpoint-10/\(file)", at: time) }
        #expect(try save(from: 11) == [7, 7])
    }

    /// It was written aside for long, and then renamed.
    @Test func oneFileThatIsRenamed() throws {
        try look(0...10)
        creations.update { $0 = ["checkpoint-10": (Self.now + 4) * 1_000_000_000] }
        try write("checkpoint-10", at: 10.5)
        #expect(try save(from: 11) == [6.5, 7])
        // Written over it keeps the time of its birth, which then tells nothing.
        creations.update { $0 = ["checkpoint-20": (Self.now + 4) * 1_000_000_000] }
        try look(16...20)
        try write("checkpoint-20", at: 20.5)
        #expect(try save(from: 21) == [0, 99])
    }

    /// A file has the time of its beginning too, where the file system keeps that.
    @Test func theTimeOfBirth() async throws {
        let path = "\(run.folders.work)/file"
        let before = Int(Date().timeIntervalSince1970 * 1e9)
        try File.write([1], over: path)
        let born = try #require(BirthTime.of(path), "this file system tells no time of birth")
        // The kernel's clock for files ticks 100 times a second at the least.
        #expect(abs(born - before) < 1_000_000_000)
        try await eventuallyTrue("a later time") {
            try File.write([2], over: path)
            return try #require(File.status(path)).modified > born
        }
        try File.move(path, to: path + "2")
        #expect(BirthTime.of(path + "2") == born)
        #expect(BirthTime.of(path) == nil)
    }

    @Test func itIsThereAtOnce() throws {
        try look(0...10)
        try write("checkpoint-10/a", at: 10.5)
        #expect(try save(from: 11) == [0, 7])
    }

    /// Of a fixed name each save counts for itself.
    @Test func savedAgain() throws {
        try look(0...10)
        try write("final/a", at: 10.4)
        try write("final/b", at: 10.9)
        #expect(try save(from: 11) == [0.5, 7])
        try look(16...100)
        try write("final/a", at: 100.2, "y")
        try look(101...102)
        try write("final/b", at: 103.4, "y")
        #expect(try save(from: 104) == [3.2, 99])
        // It has not been proven, and is saved over.
        try write("final/a", at: 110.2, "z")
        try look(111...114)
        try write("final/a", at: 120.2, "z")
        try write("final/b", at: 121.2, "z")
        try look(122...124)
        step.update { $0 = 301 }
        try look(125...125)
        let receipt = try #require(try run.folders.allReceipts().last)
        #expect(receipt.saveSeconds == 1 && receipt.stepAtSave == 191)
    }
}
