import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// What counts as durable, above all after a sync that failed.
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

    /// From now on the kernel refuses to sync it, as /dev/null does.
    private func breakSync(of segment: LiveSegment) throws {
        let null = try Errno.check { open("/dev/null", O_RDWR | O_CLOEXEC) }
        try Errno.check { dup2(null, segment.descriptor) }
        close(null)
    }

    @Test func segmentAfterSegment() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        #expect(sync.sync() == nil)
        write(10, sync)
        #expect(progress.durable == 0)
        #expect(sync.sync() == nil)
        #expect(progress.durable == 10)
        write(5, sync)
        sync.begin(try LiveSegment(from: 15, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync() == nil)
        #expect(progress.durable == 20)
    }

    @Test func whatAFailedSyncConcernsIsDurableWithItsCopyOnly() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        write(10, sync)
        #expect(sync.sync() == nil)
        write(5, sync)
        try breakSync(of: first)
        #expect(sync.sync() === first)
        #expect(sync.trouble == Errno(EINVAL))
        #expect(progress.durable == 10)

        // A second sync of the same file would succeed, and say nothing of those bytes.
        let healed = try Errno.check { open(first.path, O_RDWR | O_CLOEXEC) }
        try Errno.check { dup2(healed, first.descriptor) }
        close(healed)
        sync.begin(try LiveSegment(from: 15, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync() == nil)
        #expect(progress.durable == 10)
        #expect(sync.trouble != nil)

        sync.copied(0, lost: 12..<15)
        #expect(sync.takeLost() == [12..<15])
        #expect(sync.takeLost() == [])
        #expect(sync.sync() == nil)
        #expect(progress.durable == 20)
        #expect(sync.trouble == nil)
    }

    @Test func aSegmentThatGotNothingIsForgotten() throws {
        let first = try LiveSegment(from: 0, attempt: 1, in: run)
        let sync = LogSync(first, progress: progress)
        try breakSync(of: first)
        sync.begin(try LiveSegment(from: 0, attempt: 1, in: run))
        write(5, sync)
        #expect(sync.sync() == nil)
        #expect(progress.durable == 5)
    }
}
