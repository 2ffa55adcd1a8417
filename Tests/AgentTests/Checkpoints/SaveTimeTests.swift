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
    private let start = ContinuousClock.now
    private static let date = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        run = try TestRun()
        let receipts = try #require(try run.receipts(CheckpointRule(path: "out", names: ["final"])))
        watch = CheckpointWatch(receipts: receipts, open: { [] }) { [step] in step.read { $0 } }
    }

    private func look(_ seconds: ClosedRange<Int>) throws {
        for second in seconds {
            try watch.look(at: start + .seconds(second), date: Self.date + Double(second))
        }
    }

    /// A file that was last written so many seconds after the start.
    private func write(_ file: String, at seconds: Double, _ text: String = "x") throws {
        let path = "\(run.folders.work)/out/\(file)"
        try File.makeFolders(path.parentFolder)
        try File.write(Array(text.utf8), over: path)
        let time = timespec(tv_sec: 1_800_000_000 + Int(seconds), tv_nsec: Int((seconds - Double(Int(seconds))) * 1e9))
        try Errno.check { utimensat(AT_FDCWD, path, [time, time], 0) }
    }

    /// Of the receipt that follows; the step that was told at its beginning.
    private func save(from second: Int) throws -> [Double?] {
        try look(second...second + 2)
        step.update { $0 = ($0 ?? 0) + 92 }
        try look(second + 3...second + 4)
        let receipt = try #require(try run.folders.allReceipts().last)
        return [receipt.saveSeconds.map { ($0 * 10).rounded() / 10 }, receipt.told]
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

    /// What is copied with its times is no older than the look that did not see it.
    @Test func oldTimes() throws {
        try look(0...10)
        try write("checkpoint-10/a", at: 2)
        try write("checkpoint-10/b", at: 10.5)
        #expect(try save(from: 11) == [0.5, 7])
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
        #expect(receipt.saveSeconds == 1 && receipt.told == 191)
    }
}
