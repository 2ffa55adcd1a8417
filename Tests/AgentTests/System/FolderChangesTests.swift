import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The changes that the kernel reports in a real folder.
@Suite(.enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason)) struct FolderChangesTests {
    private let folder: TemporaryFolder
    private let changes: FolderChanges

    init() throws {
        folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/out/old/inner")
        changes = FolderChanges(of: "\(folder.path)/out") { !$0.hasPrefix("log") }
        changes.begin()
        #expect(changes.take()?.names == [])
    }

    private func write(_ file: String) throws {
        try File.write([1], over: "\(folder.path)/\(file)")
    }

    @Test("a written, appended or removed file is reported once, by its top-level name")
    func filesAndFolders() throws {
        try write("out/file")
        #expect(changes.take()?.names == ["file"])
        #expect(changes.take()?.names == [])
        let file = open("\(folder.path)/out/file", O_WRONLY | O_APPEND)
        try File.write([2], to: file)
        close(file)
        #expect(changes.take()?.names == ["file"])
        try write("out/old/inner/file")
        #expect(changes.take()?.names == ["old"])
        try File.remove("\(folder.path)/out/old/inner/file")
        try File.remove("\(folder.path)/out/file")
        #expect(changes.take()?.names == ["old", "file"])
    }

    @Test("files in new and moved-in folders are reported, however deep")
    func newFolders() throws {
        try File.makeFolders("\(folder.path)/out/new/a/b")
        #expect(changes.take()?.names == ["new"])
        try write("out/new/a/b/file")
        #expect(changes.take()?.names == ["new"])
        try File.makeFolders("\(folder.path)/aside/a/b")
        try File.move("\(folder.path)/aside", to: "\(folder.path)/out/moved")
        #expect(changes.take()?.names == ["moved"])
        try write("out/moved/a/b/file")
        #expect(changes.take()?.names == ["moved"])
    }

    @Test("a renamed folder is reported under both names and watched under the new one")
    func renamed() throws {
        try File.move("\(folder.path)/out/old", to: "\(folder.path)/out/final")
        #expect(changes.take() == FolderChanges.Report(names: ["old", "final"], renamed: ["final": "old"]))
        try write("out/final/inner/file")
        #expect(changes.take()?.names == ["final"])
        try File.move("\(folder.path)/out/final", to: "\(folder.path)/elsewhere")
        #expect(changes.take()?.names == ["final"])
        try write("elsewhere/inner/file")
        #expect(changes.take()?.names == [])
    }

    @Test("folder changes are unknown after the kernel's queue overflows, until the watch begins again")
    func overflow() throws {
        let most = try #require(Int(try File.read("/proc/sys/fs/inotify/max_queued_events").text.trimmed))
        for _ in 0...most / 2 {
            try write("out/a")
            try File.remove("\(folder.path)/out/a")
        }
        #expect(changes.take()?.names == nil)
        #expect(changes.take()?.names == nil, "some later changes are not reported either")
        changes.begin()
        try write("out/b")
        #expect(changes.take()?.names == ["b"])
    }

    @Test("folder changes are unknown after the folder was removed or replaced, until the watch begins again")
    func replacedFolder() throws {
        let out = "\(folder.path)/out"
        try File.removeTree(out)
        #expect(changes.take()?.names == nil)
        changes.begin()
        #expect(changes.take()?.names == nil)
        try File.makeFolders(out)
        changes.begin()
        #expect(changes.take()?.names == [])
        try File.move(out, to: "\(folder.path)/former")
        try File.makeFolders(out)
        #expect(changes.take()?.names == nil)
        changes.begin()
        try write("former/a")
        try write("out/b")
        #expect(changes.take()?.names == ["b"])
    }

    @Test("two folders that exchange their names are each watched under the new name")
    func exchanged() throws {
        let out = "\(folder.path)/out"
        try File.makeFolders("\(out)/new")
        #expect(changes.take()?.names == ["new"])
        let exchange = "import ctypes; ctypes.CDLL(None).renameat2(-100, b'old', -100, b'new', 2)"  // RENAME_EXCHANGE
        #expect(try Command.run(["sh", "-c", "cd '\(out)' && python3 -c \"\(exchange)\""]).code == 0)
        #expect(changes.take()?.names == ["old", "new"])
        try write("out/new/inner/file")
        #expect(changes.take()?.names == ["new"])
        try write("out/old/file")
        #expect(changes.take()?.names == ["old"])
    }

    @Test("folder changes under names that do not concern the watch are not reported")
    func unconcerned() throws {
        try File.makeFolders("\(folder.path)/out/logs/inner")
        try write("out/log")
        try write("out/logs/inner/file")
        #expect(changes.take()?.names == [])
    }

    @Test("folder changes are unknown in a tree of more than 4096 folders")
    func tooManyFolders() throws {
        for number in 0..<4096 { try File.makeFolders("\(folder.path)/out/many/\(number)") }
        #expect(changes.take()?.names == nil)
        changes.begin()
        #expect(changes.take()?.names == nil)
    }

    @Test("folder changes are reported in a folder that is reached through a link")
    func throughLink() throws {
        try Errno.check { symlink("out", "\(folder.path)/link") }
        let changes = FolderChanges(of: "\(folder.path)/link") { _ in true }
        changes.begin()
        try write("out/old/file")
        #expect(changes.take()?.names == ["old"])
    }

    /// For example a network file system, to which other machines write.
    @Test("folder changes are unknown on a file system whose changes the kernel does not report")
    func foreignFileSystem() {
        #expect(!FolderChanges.areReported(at: "/proc"))
        let changes = FolderChanges(of: "/proc/self") { _ in true }
        changes.begin()
        #expect(changes.take()?.names == nil)
    }
}
