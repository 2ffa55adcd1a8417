import TestSupport
import Testing

@testable import Agent

@Suite struct PromiseTests {
    @Test("any number of tasks get the value of a promise, before and after it is fulfilled")
    func manyWaiters() async throws {
        let promise = Promise<Int>()
        let sum = try await within(.seconds(60)) {
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { await promise.value } }
                promise.fulfil(2)
                for _ in 0..<50 { group.addTask { await promise.value } }
                return await group.reduce(0, +)
            }
        }
        #expect(sum == 200)
    }

    @Test("only the first value fulfils a promise")
    func firstValue() async {
        let promise = Promise<Int>()
        #expect(promise.valueIfFulfilled == nil)
        promise.fulfil(1)
        promise.fulfil(2)
        #expect(promise.valueIfFulfilled == 1)
        #expect(await promise.value == 1)
    }

    @Test("waiting for a promise ends with nil at the timeout, and at once when the promise is fulfilled")
    func timeout() async throws {
        let promise = Promise<Int>()
        let early = try await within(.seconds(60)) { await promise.value(within: .milliseconds(50)) }
        #expect(early == nil)
        promise.fulfil(1)
        // A value that is there comes at once, whatever the timeout.
        #expect(await promise.value(within: .seconds(3600)) == 1)
    }

    @Test("a cancelled task stops waiting for a promise")
    func cancelled() async throws {
        let promise = Promise<Int>()
        let late = Task {
            // The task is cancelled before it waits, or while it waits.
            try await promise.valueUnlessCancelled
        }
        late.cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60)) { try await late.value }
        }
        promise.fulfil(1)
        #expect(try await promise.valueUnlessCancelled == 1)
    }
}
