import TestSupport
import Testing

@testable import Agent

@Suite struct ThreadPoolTests {
    @Test func allJobsRunOnFewThreads() async throws {
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
        try await eventually { state.read { $0.done } == 500 }
        #expect(state.read { $0.most } <= 3)
    }

    @Test func oneThatHangsKeepsItsThreadAlone() async throws {
        let pool = ThreadPool(limit: 2)
        let gate = Gate()
        try pool.run { gate.pass() }
        try await eventually { gate.isReached }
        let done = Monitor(0)
        for _ in 0..<10 { try pool.run { done.update { $0 += 1 } } }
        try await eventually { done.read { $0 } == 10 }
        gate.open()
    }

    @Test func asManyAsTheLimitRunAtOnce() async throws {
        let pool = ThreadPool(limit: 4)
        let gates = (0..<4).map { _ in Gate() }
        for gate in gates { try pool.run { gate.pass() } }
        try await eventually { gates.allSatisfy(\.isReached) }
        for gate in gates { gate.open() }
    }
}
