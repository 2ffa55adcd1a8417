import TestSupport
import Testing

@testable import Agent

@Suite struct PromiseTests {
    @Test func manyMayWait() async throws {
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

    @Test func laterValuesAreIgnored() async {
        let promise = Promise<Int>()
        #expect(promise.valueIfFulfilled == nil)
        promise.fulfil(1)
        promise.fulfil(2)
        #expect(promise.valueIfFulfilled == 1)
        #expect(await promise.value == 1)
    }

    @Test func patience() async throws {
        let promise = Promise<Int>()
        let early = try await within(.seconds(60)) { await promise.value(within: .milliseconds(50)) }
        #expect(early == nil)
        promise.fulfil(1)
        // What is there already comes whatever the patience, and long before it ends.
        #expect(await promise.value(within: .seconds(3600)) == 1)
    }

    @Test func whoIsCancelledWaitsNoLonger() async throws {
        let promise = Promise<Int>()
        let late = Task {
            // Cancelled before it waits, and while.
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
