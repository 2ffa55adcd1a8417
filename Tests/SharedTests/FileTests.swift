import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

@Suite struct FileTests {
    private let folder: TemporaryFolder
    private var path: String { "\(folder.path)/file" }

    init() throws { folder = try TemporaryFolder("file") }

    /// Runs `body` on `count` threads at once and returns when all have ended.
    private func threads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async throws {
        let ended = Mutex(0)
        for number in 0..<count {
            Thread.detachNewThread {
                body(number)
                ended.withLock { $0 += 1 }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { ended.withLock { $0 } == count }
    }

    @Test("a reader sees the old or the new content while a file is replaced, never a mix")
    func atomicReplace() async throws {
        let texts = (0..<2).map { [UInt8](repeating: UInt8(ascii: "a") + UInt8($0), count: 200_000 + $0) }
        try File.replace(path, with: texts[0])
        let isOver = Mutex(false)
        let odd = Mutex(0)
        let path = path
        try await threads(2) { number in
            if number == 0 {
                for round in 0..<60 { try? File.replace(path, with: texts[round % 2]) }
                isOver.withLock { $0 = true }
            } else {
                while !isOver.withLock({ $0 }) {
                    let seen = try? File.read(path)
                    if seen != texts[0] && seen != texts[1] { odd.withLock { $0 += 1 } }
                }
            }
        }
        #expect(odd.withLock { $0 } == 0)
        #expect(try File.list(folder.path) == ["file"])
    }

    @Test("replacing a file gives it the requested mode")
    func replaceMode() throws {
        try File.replace(path, with: [1], mode: 0o755)
        #expect(File.status(path)?.isExecutable == true)
        try File.replace(path, with: [1])
        #expect(File.status(path)?.isExecutable == false)
    }

    @Test("a failed replacement leaves the old file")
    func failedReplace() throws {
        // The staging file cannot be written: its name would be longer than a file system takes.
        let path = folder.path + "/" + String(repeating: "a", count: 252)
        try File.write([1], over: path)
        #expect(throws: Problem.self) { try File.replace(path, with: [2]) }
        #expect(try File.read(path) == [1])
    }

    @Test("exactly one of twenty threads creates a file exclusively")
    func exclusiveCreation() async throws {
        for round in 0..<10 {
            let path = "\(path)-\(round)"
            let winners = Mutex<[Int]>([])
            try await threads(20) { number in
                let bytes = Array("winner \(number)".utf8)
                if (try? File.createExclusively(path, with: bytes, staging: "\(path).\(number)")) == true {
                    winners.withLock { $0.append(number) }
                }
            }
            let winner = try #require(winners.withLock { $0.count == 1 ? $0.first : nil })
            #expect(try File.read(path).text == "winner \(winner)")
        }
        #expect(try File.list(folder.path).count == 10)
    }

    /// An unreadable log must not look empty: the agent would begin a new one.
    @Test("a file system error is not taken for a missing file, claim or log")
    func errorIsNotAbsence() throws {
        let loop = "\(folder.path)/loop"
        try File.replaceLink(loop, to: loop)
        #expect(throws: Problem.self) { try File.exists(loop) }
        #expect(try File.exists(folder.path))
        #expect(try !File.exists("\(folder.path)/no"))
        try File.write([], over: "\(folder.path)/file")
        #expect(try !File.exists("\(folder.path)/file/no"))

        let run = Volume(root: folder.path).run(try #require(RunID("r")))
        try File.makeFolders(run.path)
        #expect(try run.claims().isEmpty)
        #expect(try LogStream(of: run).end == 0)
        try File.replaceLink(run.attempts, to: run.attempts)
        try File.replaceLink(run.logs, to: run.logs)
        #expect(throws: Problem.self) { try run.claims() }
        #expect(throws: Problem.self) { try run.isSuperseded(1) }
        #expect(throws: Problem.self) { try LogStream(of: run) }
    }

    @Test("removing a folder removes its links and keeps what they point to")
    func removeTree() throws {
        try File.makeFolders("\(folder.path)/outside/deep")
        try File.write([1], over: "\(folder.path)/outside/deep/kept")
        try File.makeFolders("\(folder.path)/tree/inner")
        try File.write([1], over: "\(folder.path)/tree/inner/gone")
        try File.replaceLink("\(folder.path)/tree/inner/link", to: "\(folder.path)/outside")
        try File.replaceLink("\(folder.path)/tree/dangling", to: "/none")
        try File.removeTree("\(folder.path)/tree")
        #expect(try File.list(folder.path) == ["outside"])
        #expect(try File.exists("\(folder.path)/outside/deep/kept"))
        try File.replaceLink(path, to: "\(folder.path)/outside")
        try File.removeTree(path)
        try File.removeTree(path)
        #expect(try File.exists("\(folder.path)/outside/deep/kept"))
    }

    @Test("threads that make the same nested folders at once all succeed")
    func sameFolders() async throws {
        for round in 0..<20 {
            let deep = "\(folder.path)/\(round)/a/b/c/d"
            let failed = Mutex<[String]>([])
            try await threads(8) { number in
                do { try File.makeFolders("\(deep)/\(number % 2)") } catch { failed.withLock { $0.append("\(error)") } }
            }
            #expect(failed.withLock { $0 } == [])
            #expect(try File.list(deep) == ["0", "1"])
        }
    }

    @Test("a reader sees the old or the new target while a link is replaced")
    func atomicLink() async throws {
        try File.replaceLink(path, to: "a")
        let isOver = Mutex(false)
        let odd = Mutex(0)
        let path = path
        try await threads(2) { number in
            if number == 0 {
                for round in 0..<500 { try? File.replaceLink(path, to: round % 2 == 0 ? "b" : "a") }
                isOver.withLock { $0 = true }
            } else {
                while !isOver.withLock({ $0 }) {
                    let target = try? File.readLink(path)
                    if target != "a" && target != "b" { odd.withLock { $0 += 1 } }
                }
            }
        }
        #expect(odd.withLock { $0 } == 0)
    }

    @Test("reading part of a file returns no bytes beyond its end")
    func parts() throws {
        try File.write(Array("0123456789".utf8), over: path)
        #expect(try File.read(path, at: 3, limit: 4).text == "3456")
        #expect(try File.read(path, at: 8, limit: 4).text == "89")
        #expect(try File.read(path, at: 10, limit: 4) == [])
        #expect(try File.read(path, at: 11, limit: 4) == [])
    }

    @Test("a file error names the path and the cause")
    func problems() {
        for body: () throws -> Void in [
            { _ = try File.read("/none/x") }, { try File.replace("/none/x", with: []) },
            { _ = try File.list("/none/x") }, { _ = try File.readLink("/none/x") },
            { try File.write([], over: "/none/x") },
        ] {
            let problem = #expect(throws: Problem.self) { try body() }
            #expect(problem?.sentence.contains("\"/none/x\"") == true)
            #expect(problem?.sentence.hasSuffix("No such file or directory") == true)
        }
    }
}
