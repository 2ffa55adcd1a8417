import TestSupport
import Testing

@testable import Agent

@Suite struct LogProgressTests {
    private let progress = LogProgress(start: 10)

    @Test("a reader that is behind the log's end gets the end at once")
    func present() async throws {
        progress.extend(by: 5)
        #expect(try await progress.end(beyond: 10) == 15)
        #expect(try await progress.end(beyond: 0) == 15)
    }

    @Test("fifty readers that wait for more of the log are all woken as it grows")
    func manyReaders() async throws {
        let ends = Task { [progress] in
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for offset in 10..<60 { group.addTask { try await progress.end(beyond: offset) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        // Byte by byte: each byte ends the wait of one more reader.
        for _ in 0..<50 {
            progress.extend(by: 1)
            await Task.yield()
        }
        let got = try await within(.seconds(60)) { try await ends.value }
        #expect(got.count == 50)
        #expect(got.allSatisfy { ($0 ?? 0) > 10 })
    }

    @Test("closing the log ends every wait with nil, and earlier offsets still get the end")
    func closed() async throws {
        let waiter = Task { [progress] in try await progress.end(beyond: 10) }
        await Task.yield()
        progress.close()
        #expect(try await within(.seconds(60)) { try await waiter.value } == nil)
        #expect(try await progress.end(beyond: 10) == nil)
        // The bytes from before can still be read.
        #expect(try await progress.end(beyond: 9) == 10)
    }

    @Test("cancelling one waiting reader of the log does not end the wait of another")
    func cancelOne() async throws {
        let waiters = (0..<2).map { _ in Task { [progress] in try await progress.end(beyond: 10) } }
        await Task.yield()
        waiters[0].cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60)) { try await waiters[0].value }
        }
        progress.extend(by: 1)
        #expect(try await within(.seconds(60)) { try await waiters[1].value } == 11)
    }

    @Test("a reader of the log that is cancelled before it waits does not wait")
    func cancelledBefore() async throws {
        let waiter = Task { [progress] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await progress.end(beyond: 10)
        }
        await #expect(throws: CancellationError.self) { try await within(.seconds(60)) { try await waiter.value } }
    }

    @Test("only a sync moves the durable end of the log, and never backwards")
    func durable() {
        #expect(progress.durable == 10)
        progress.extend(by: 10)
        #expect(progress.durable == 10)
        progress.endSync(at: 15)
        #expect(progress.durable == 15)
        progress.endSync(at: 12)
        #expect(progress.durable == 15, "it never moves backwards")
    }

    @Test("a sync of the log is requested only once until it begins")
    func oneSync() {
        #expect(progress.wantsSync())
        #expect(!progress.wantsSync())
        progress.beginSync()
        #expect(progress.wantsSync())
    }
}
