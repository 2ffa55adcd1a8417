import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// What the kernel tells of a real folder.
@Suite(.enabled(if: TestRun.isToldOfChanges, TestRun.isToldOfChangesReason)) struct FolderChangesTests {
    private let folder: TemporaryFolder
    private let changes: FolderChanges

    init() throws {
        folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/out/old/inner")
        changes = FolderChanges(of: "\(folder.path)/out") { !$0.hasPrefix("log") }
        changes.begin()
        #expect(changes.take() == [])
    }

    private func write(_ file: String) throws {
        try File.write([1], over: "\(folder.path)/\(file)")
    }

    @Test func filesAndFolders() throws {
        try write("out/file")
        #expect(changes.take() == ["file"])
        #expect(changes.take() == [])
        let file = open("\(folder.path)/out/file", O_WRONLY | O_APPEND)
        try File.write([2], to: file)
        close(file)
        #expect(changes.take() == ["file"])
        try write("out/old/inner/file")
        #expect(changes.take() == ["old"])
        try File.remove("\(folder.path)/out/old/inner/file")
        try File.remove("\(folder.path)/out/file")
        #expect(changes.take() == ["old", "file"])
    }

    /// What comes into a folder that is new, before and after that is known.
    @Test func newFolders() throws {
        try File.makeFolders("\(folder.path)/out/new/a/b")
        #expect(changes.take() == ["new"])
        try write("out/new/a/b/file")
        #expect(changes.take() == ["new"])
        try File.makeFolders("\(folder.path)/aside/a/b")
        try File.move("\(folder.path)/aside", to: "\(folder.path)/out/moved")
        #expect(changes.take() == ["moved"])
        try write("out/moved/a/b/file")
        #expect(changes.take() == ["moved"])
    }

    @Test func aFolderThatIsRenamed() throws {
        try File.move("\(folder.path)/out/old", to: "\(folder.path)/out/final")
        #expect(changes.take() == ["old", "final"])
        try write("out/final/inner/file")
        #expect(changes.take() == ["final"])
        try File.move("\(folder.path)/out/final", to: "\(folder.path)/elsewhere")
        #expect(changes.take() == ["final"])
        try write("elsewhere/inner/file")
        #expect(changes.take() == [])
    }

    /// More happens than the kernel keeps.
    @Test func tooMuchAtOnce() throws {
        let most = try #require(Int(try File.read("/proc/sys/fs/inotify/max_queued_events").text.trimmed))
        for _ in 0...most / 2 {
            try write("out/a")
            try File.remove("\(folder.path)/out/a")
        }
        #expect(changes.take() == nil)
        #expect(changes.take() == nil, "not all that happened since is told")
        changes.begin()
        try write("out/b")
        #expect(changes.take() == ["b"])
    }

    /// The folder is removed, and there again; and another one takes its place.
    @Test func anotherFolder() throws {
        let out = "\(folder.path)/out"
        try File.removeTree(out)
        #expect(changes.take() == nil)
        changes.begin()
        #expect(changes.take() == nil)
        try File.makeFolders(out)
        changes.begin()
        #expect(changes.take() == [])
        try File.move(out, to: "\(folder.path)/former")
        try File.makeFolders(out)
        #expect(changes.take() == nil)
        changes.begin()
        try write("former/a")
        try write("out/b")
        #expect(changes.take() == ["b"])
    }

    /// Two folders take each other's names at once.
    @Test func anExchange() throws {
        let out = "\(folder.path)/out"
        try File.makeFolders("\(out)/new")
        #expect(changes.take() == ["new"])
        let exchange = "import ctypes; ctypes.CDLL(None).renameat2(-100, b'old', -100, b'new', 2)"  // RENAME_EXCHANGE
        #expect(try Command.run(["sh", "-c", "cd '\(out)' && python3 -c \"\(exchange)\""]).code == 0)
        #expect(changes.take() == ["old", "new"])
        try write("out/new/inner/file")
        #expect(changes.take() == ["new"])
        try write("out/old/file")
        #expect(changes.take() == ["old"])
    }

    /// What is no business of the one who asks is not watched.
    @Test func othersAreNotTold() throws {
        try File.makeFolders("\(folder.path)/out/logs/inner")
        try write("out/log")
        try write("out/logs/inner/file")
        #expect(changes.take() == [])
    }

    /// Then any may have changed.
    @Test func moreFoldersThanAreWatched() throws {
        for number in 0..<4096 { try File.makeFolders("\(folder.path)/out/many/\(number)") }
        #expect(changes.take() == nil)
        changes.begin()
        #expect(changes.take() == nil)
    }

    @Test func throughALink() throws {
        try Errno.check { symlink("out", "\(folder.path)/link") }
        let changes = FolderChanges(of: "\(folder.path)/link") { _ in true }
        changes.begin()
        try write("out/old/file")
        #expect(changes.take() == ["old"])
    }

    /// Of a file system that others may write to it is never known.
    @Test func noFileSystemOfThisMachine() {
        #expect(!FolderChanges.areReported(at: "/proc"))
        let changes = FolderChanges(of: "/proc/self") { _ in true }
        changes.begin()
        #expect(changes.take() == nil)
    }
}
