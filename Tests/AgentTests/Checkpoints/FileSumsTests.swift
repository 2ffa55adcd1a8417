import Foundation
import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite struct FileSumsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("sums") }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        let path = "\(folder.path)/\(name)"
        try File.makeFolders(path.parentFolder)
        try File.write(bytes, over: path)
    }

    /// coreutils is the other side.
    @Test func theyAreThoseOfSha256sum() throws {
        let big = (0..<(3 << 20) + 7).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for (name, bytes) in [("big", big), ("empty", []), ("deep/er/x", [1]), ("buffer", Array(big.prefix(1 << 20)))] {
            try write(name, bytes)
        }
        symlink("deep/er/x", "\(folder.path)/link")
        mkfifo("\(folder.path)/pipe", 0o600)
        let sums = try FileSums().of(folder.path)
        #expect(sums.map(\.name) == ["big", "buffer", "empty", "link", "deep/er/x"])
        #expect(sums.map(\.size) == [big.count, 1 << 20, 0, 1, 1])
        let (_, output) = try Command.run(["sha256sum"] + sums.map(\.name), in: folder.path)
        #expect(sums.map { "\($0.sha256)  \($0.name)\n" }.joined() == output.text)
        let status = try #require(File.status("\(folder.path)/big"))
        #expect(sums[0].modified == status.modified)
        let limited = FileSums(bytesPerSecond: 1 << 40, bypassesCache: true)
        #expect(try limited.of(folder.path) == sums)
        let alone = try FileSums().of("\(folder.path)/big")
        #expect(alone == [FileSum(name: "", size: big.count, modified: status.modified, sha256: sums[0].sha256)])
    }

    @Test func aFileThatChangesMeanwhile() throws {
        try write("a", [UInt8](repeating: 1, count: 3 << 20))
        let asked = Atomic(0)
        let path = "\(folder.path)/a"
        let changes: [@Sendable () -> Int32] = [
            { truncate(path, 2 << 20) }, { truncate(path, 5 << 20) }, { utimes(path, nil) },
        ]
        for change in changes {
            asked.store(0, ordering: .relaxed)
            let sums = FileSums {
                if asked.add(1, ordering: .relaxed).newValue == 2 { _ = change() }
                return false
            }
            #expect(throws: Problem("\"\(path)\" changed while it was read")) { try sums.of(folder.path) }
        }
    }

    @Test func itEndsBetweenTwoBuffers() throws {
        try write("a", [UInt8](repeating: 1, count: 5 << 20))
        let asked = Atomic(0)
        let sums = FileSums { asked.add(1, ordering: .relaxed).newValue == 3 }
        #expect(throws: CancellationError.self) { try sums.of(folder.path) }
        #expect(asked.load(ordering: .relaxed) == 3)
    }

    @Test func aLimitIsKept() throws {
        try write("a", [UInt8](repeating: 1, count: 1 << 20))
        try write("b", [UInt8](repeating: 1, count: 1 << 20))
        let taken = try ContinuousClock().measure { _ = try FileSums(bytesPerSecond: 4 << 20).of(folder.path) }
        // Two megabytes less the last buffer of each.
        #expect(taken > .milliseconds(400) && taken < .seconds(5), "\(taken)")
    }

    @Test func nothingThere() throws {
        #expect(throws: Problem.self) { try FileSums().of("\(folder.path)/none") }
        symlink("nowhere", "\(folder.path)/link")
        #expect(throws: Problem("read \"\(folder.path)/link\"", errno: ENOENT)) { try FileSums().of(folder.path) }
    }

    /// On a disk; a file system in memory has no other place.
    @Test func pastTheCacheItReadsTheDisk() throws {
        try write("a", [UInt8](repeating: 1, count: 8 << 20))
        let path = "\(folder.path)/a"
        try File.sync(path)
        let isMemory = try Command.run(["stat", "--file-system", "--format=%T", path]).output.text == "tmpfs\n"
        func pagesInMemory() throws -> Int {
            let (_, output) = try Command.run(["fincore", "--noheadings", "--output", "PAGES", path])
            return try #require(Int(output.text.trimmed))
        }
        _ = try FileSums().of(path)
        #expect(try pagesInMemory() == 2048)
        let read = try diskReads()
        _ = try FileSums(bypassesCache: true).of(path)
        if !isMemory {
            #expect(try pagesInMemory() == 0)
            #expect(try diskReads() - read >= 8 << 20)
        }
    }

    /// Bytes that this process has read from disks, proc(5).
    private func diskReads() throws -> Int {
        let lines = try File.read("/proc/self/io").text.split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("read_bytes: ") })
        return try #require(Int(line.dropFirst(12)))
    }

    /// Half a gigabyte, all of it a hole.
    @Test func memoryDoesNotGrowWithTheFile() throws {
        try write("a", [])
        truncate("\(folder.path)/a", 500_000_000)
        var sums: [FileSum] = []
        let growth = try MemoryPeak.growth { sums = try FileSums().of(folder.path) }
        #expect(sums.map(\.size) == [500_000_000])
        #expect(growth <= 8 << 20, "\(growth) bytes")
    }
}

/// The most memory that this process had resident while something ran.
enum MemoryPeak {
    /// Bytes above what there was before.
    static func growth(_ body: () throws -> Void) throws -> Int {
        // 5: the peak is reset, proc(5).
        try File.write(Array("5".utf8), over: "/proc/self/clear_refs")
        let before = try value("VmRSS")
        try body()
        return try value("VmHWM") - before
    }

    private static func value(_ name: String) throws -> Int {
        let lines = try File.read("/proc/self/status").text.split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("\(name):") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
}
