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

    @Test("the sums of a checkpoint's files are those of sha256sum")
    func sameAsSha256sum() throws {
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

    @Test("a file that changes while it is hashed is an error")
    func changingFile() throws {
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

    @Test("cancelled hashing ends before the next buffer is read")
    func cancelled() throws {
        try write("a", [UInt8](repeating: 1, count: 5 << 20))
        let asked = Atomic(0)
        let sums = FileSums { asked.add(1, ordering: .relaxed).newValue == 3 }
        #expect(throws: CancellationError.self) { try sums.of(folder.path) }
        #expect(asked.load(ordering: .relaxed) == 3)
    }

    @Test("hashing keeps to its limit of bytes per second")
    func limit() throws {
        try write("a", [UInt8](repeating: 1, count: 1 << 20))
        try write("b", [UInt8](repeating: 1, count: 1 << 20))
        let taken = try ContinuousClock().measure { _ = try FileSums(bytesPerSecond: 4 << 20).of(folder.path) }
        // Two files of 1 MiB at 4 MiB/s, with no pause after the last buffer of each.
        #expect(taken > .milliseconds(400) && taken < .seconds(5), "\(taken)")
    }

    @Test("hashing a missing path or a link that leads nowhere is an error")
    func missingPath() throws {
        #expect(throws: Problem.self) { try FileSums().of("\(folder.path)/none") }
        symlink("nowhere", "\(folder.path)/link")
        #expect(throws: Problem("read \"\(folder.path)/link\"", errno: ENOENT)) { try FileSums().of(folder.path) }
    }

    /// A file system in memory has no disk to read from.
    @Test("hashing past the cache reads from the disk and leaves no pages in memory")
    func pastTheCache() throws {
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

    /// All of the file is a hole.
    @Test("hashing a file of 500 MB takes at most 8 MiB more memory")
    func memory() throws {
        try write("a", [])
        truncate("\(folder.path)/a", 500_000_000)
        var sums: [FileSum] = []
        let growth = try MemoryPeak.growth { sums = try FileSums().of(folder.path) }
        #expect(sums.map(\.size) == [500_000_000])
        #expect(growth <= 8 << 20, "\(growth) bytes")
    }
}

/// The peak of this process's resident memory.
enum MemoryPeak {
    /// Returns by how many bytes the peak during `body` exceeds the resident memory before it.
    static func growth(_ body: () throws -> Void) throws -> Int {
        // Writing 5 resets the peak, proc(5).
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
