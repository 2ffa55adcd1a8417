import TestSupport
import Testing

@testable import Agent

@Suite struct LogProgressTests {
    private let progress = LogProgress(start: 10)

    @Test func whatIsThereComesAtOnce() async throws {
        progress.extend(by: 5)
        #expect(try await progress.end(beyond: 10) == 15)
        #expect(try await progress.end(beyond: 0) == 15)
    }

    @Test func manyWaitAndAllAreTold() async throws {
        let ends = Task { [progress] in
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for offset in 10..<60 { group.addTask { try await progress.end(beyond: offset) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        // One by one: each lets one more go, and those beyond wait on.
        for _ in 0..<50 {
            progress.extend(by: 1)
            await Task.yield()
        }
        let got = try await within(.seconds(60)) { try await ends.value }
        #expect(got.count == 50)
        #expect(got.allSatisfy { ($0 ?? 0) > 10 })
    }

    @Test func closingEndsTheWait() async throws {
        let waiter = Task { [progress] in try await progress.end(beyond: 10) }
        await Task.yield()
        progress.close()
        #expect(try await within(.seconds(60)) { try await waiter.value } == nil)
        #expect(try await progress.end(beyond: 10) == nil)
        // What came before is still to be had.
        #expect(try await progress.end(beyond: 9) == 10)
    }

    @Test func cancellingEndsTheWaitOfOneAlone() async throws {
        let waiters = (0..<2).map { _ in Task { [progress] in try await progress.end(beyond: 10) } }
        await Task.yield()
        waiters[0].cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60)) { try await waiters[0].value }
        }
        progress.extend(by: 1)
        #expect(try await within(.seconds(60)) { try await waiters[1].value } == 11)
    }

    @Test func whoIsCancelledAlreadyDoesNotWait() async throws {
        let waiter = Task { [progress] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await progress.end(beyond: 10)
        }
        await #expect(throws: CancellationError.self) { try await within(.seconds(60)) { try await waiter.value } }
    }

    @Test func durableIsWhatASyncSays() {
        #expect(progress.durable == 10)
        progress.extend(by: 10)
        #expect(progress.durable == 10)
        progress.endSync(at: 15)
        #expect(progress.durable == 15)
        progress.endSync(at: 12)
        #expect(progress.durable == 15, "it never goes back")
    }

    @Test func oneSyncIsOnItsWayAtATime() {
        #expect(progress.wantsSync())
        #expect(!progress.wantsSync())
        progress.beginSync()
        #expect(progress.wantsSync())
    }
}
