import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The bytes of the log that count as durable, above all after a sync that failed.
@Suite struct LogSyncTests {
    private let folder: TemporaryFolder
    private let run: RunFolder
    private let progress = LogProgress(start: 0)

    init() throws {
        folder = try TemporaryFolder("log")
        run = Volume(root: folder.path).run(try #require(RunID("train")))
        try File.makeFolders(run.logs)
    }

    private func write(_ count: Int, _ sync: LogSync) {
        sync.extend(by: count)
        progress.extend(by: count)
    }

    /// Puts /dev/null in the segment's place, which the kernel refuses to sync.
    private func breakSync(of segment: LiveSegment) throws {
        let null = try Errno.check { open("/dev/null", O_RDWR | O_CLOEXEC) }
        try Errno.check { dup2(null, segment.descriptor) }
        close(null)
    }

    @Test("a sync of the log makes the bytes of the current and the next segment durable")
    func segments() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        #expect(sync.sync().isEmpty)
        write(10, sync)
        #expect(progress.durable == 0)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 10)
        write(5, sync)
        sync.begin(try LiveSegment(from: 15, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 20)
    }

    @Test("log bytes of a failed sync, and all after them, are durable only once their segment was copied")
    func failedSync() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        write(10, sync)
        #expect(sync.sync().isEmpty)
        write(5, sync)
        try breakSync(of: first)
        #expect(sync.sync().map(ObjectIdentifier.init) == [ObjectIdentifier(first)])
        #expect(sync.trouble == Errno(EINVAL))
        #expect(progress.durable == 10)

        // A second sync of the same file would succeed, but proves nothing about those bytes.
        let healed = try Errno.check { open(first.path, O_RDWR | O_CLOEXEC) }
        try Errno.check { dup2(healed, first.descriptor) }
        close(healed)
        sync.begin(try LiveSegment(from: 15, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 10)
        #expect(sync.trouble != nil)

        sync.copied(0, lost: 12..<15)
        #expect(sync.takeLost() == [12..<15])
        #expect(sync.takeLost() == [])
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 20)
        #expect(sync.trouble == nil)
    }

    @Test("an empty log segment whose sync fails does not hold up the next one")
    func emptySegment() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        try breakSync(of: first)
        sync.begin(try LiveSegment(from: 0, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 5)
    }

    /// A volume may refuse all writes for a day, and the log begins a new segment for each try.
    @Test("synced log segments after a failed one are closed, and durable once the failed one was copied")
    func closesSynced() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        write(10, sync)
        try breakSync(of: first)
        #expect(sync.sync().count == 1)
        weak var second: LiveSegment?
        do {
            let segment = try LiveSegment(from: 10, attempt: 1, in: run)
            second = segment
            sync.begin(segment)
        }
        write(10, sync)
        sync.begin(try LiveSegment(from: 20, attempt: 1, in: run))
        write(10, sync)
        #expect(second != nil)
        #expect(sync.sync().isEmpty)
        #expect(second == nil)
        #expect(progress.durable == 0)
        sync.copied(0, lost: 10..<10)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 30)
    }

    /// The last bytes of a segment come while it is being synced, and then the next segment begins.
    @Test("log bytes that come during a sync are durable after the next sync")
    func meanwhile() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let second = try LiveSegment(from: 15, attempt: 1, in: run)
        let synced = Mutex<[Int]>([])
        let meanwhile = Mutex<(@Sendable () -> Void)?>(nil)
        let sync = LogSync(first, progress: progress) { segment in
            synced.withLock { $0.append(segment.offset) }
            meanwhile.withLock { $0.take() }?()
        }
        meanwhile.withLock {
            $0 = { [progress] in
                sync.extend(by: 5)
                sync.begin(second)
                sync.extend(by: 5)
                progress.extend(by: 10)
            }
        }
        write(10, sync)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 10)
        #expect(sync.sync().isEmpty)
        #expect(progress.durable == 20)
        #expect(synced.withLock(\.self) == [0, 0, 15])
    }
}
