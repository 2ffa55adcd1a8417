import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct ThreadPoolTests {
    @Test("all jobs of a pool run, on no more threads than its limit")
    func limit() async throws {
        let pool = ThreadPool(limit: 3)
        let state = Monitor((running: 0, most: 0, done: 0))
        for _ in 0..<500 {
            try pool.run {
                state.update {
                    $0.running += 1
                    $0.most = max($0.most, $0.running)
                }
                state.update {
                    $0.running -= 1
                    $0.done += 1
                }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { state.read { $0.done } == 500 }
        #expect(state.read { $0.most } <= 3)
    }

    @Test("a job that hangs takes only its own thread from the pool")
    func hangingJob() async throws {
        let pool = ThreadPool(limit: 2)
        let gate = Gate()
        try pool.run { gate.pass() }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        let done = Monitor(0)
        for _ in 0..<10 { try pool.run { done.update { $0 += 1 } } }
        try await eventuallyTrue(within: .seconds(60)) { done.read { $0 } == 10 }
        gate.open()
    }

    @Test("a pool runs as many jobs at once as its limit")
    func parallel() async throws {
        let pool = ThreadPool(limit: 4)
        let gates = (0..<4).map { _ in Gate() }
        for gate in gates { try pool.run { gate.pass() } }
        try await eventuallyTrue(within: .seconds(60)) { gates.allSatisfy(\.isReached) }
        for gate in gates { gate.open() }
    }

    @Test("a cancelled caller leaves its hanging job behind, and the pool works again once that job ends")
    func abandonedCall() async throws {
        let pool = ThreadPool(limit: 1)
        let gate = Gate()
        let call = Task { try await pool.value { gate.pass() } }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        call.cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60), "the caller") { try await call.value }
        }
        gate.open()
        #expect(try await pool.value { 5 } == 5)
    }

    @Test("a pool refuses more waiting jobs than its capacity, until there is room")
    func capacity() async throws {
        let pool = ThreadPool(limit: 1)
        let gate = Gate()
        try pool.run { gate.pass() }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        for _ in 0..<ThreadPool.capacity { try pool.run {} }
        #expect(throws: Problem.self) { try pool.run {} }
        gate.open()
        #expect(try await eventually("room") { try? await pool.value { 5 } } == 5)
    }
}
