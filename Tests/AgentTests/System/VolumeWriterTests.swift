import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct VolumeWriterTests {
    private let writer = VolumeWriter()
    private let done = Monitor<[Int]>([])

    @Test("volume jobs run in their order")
    func inOrder() async throws {
        for number in 0..<1000 { writer.enqueue { [done] in done.update { $0.append(number) } } }
        let seen = try await within(.seconds(60)) { [writer, done] in
            try await writer.perform { done.update { $0.count } }
        }
        #expect(seen == 1000)
        #expect(done.update { $0 } == Array(0..<1000))
    }

    @Test("volume jobs run one at a time")
    func oneAtATime() async throws {
        let inside = Monitor(0)
        for _ in 0..<200 {
            writer.enqueue { [done] in
                let count = inside.update { (inside: inout Int) -> Int in
                    inside += 1
                    return inside
                }
                done.update { $0.append(count) }
                inside.update { $0 -= 1 }
            }
        }
        try await within(.seconds(60)) { [writer] in _ = try await writer.perform {} }
        #expect(done.update { $0 } == Array(repeating: 1, count: 200))
    }

    @Test("an error of a volume job reaches its caller, and the next job runs")
    func errors() async throws {
        await #expect(throws: Problem.self) { try await writer.perform { throw Problem("no") } }
        #expect(try await writer.perform { 1 } == 1)
    }

    @Test("no volume job runs after the fence, not even a waiting one")
    func fence() async throws {
        let gate = writer.hang()
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        writer.enqueue { [done] in done.update { $0.append(1) } }
        let late = Task { [writer, done] in try await writer.perform { done.update { $0.append(2) } } }
        writer.fence()
        writer.enqueue { [done] in done.update { $0.append(3) } }
        gate.open()
        let result: Void? = try await within(.seconds(60)) { try await late.value }
        #expect(result == nil)
        let after = try await writer.perform { 4 }
        #expect(after == nil)
        #expect(done.update { $0 } == [])
    }

    // MARK: - after a long pause

    @Test("after a long pause nothing is written until the volume says who owns the run")
    func asksUntilAnswered() async throws {
        let writer = VolumeWriter(longestTurn: .zero)
        let asked = Monitor(0)
        let writes = done
        writer.look {
            let count = asked.update { (count: inout Int) -> Int in
                count += 1
                return count
            }
            if count < 3 { throw Problem("the volume does not answer") }
            if !writes.read({ $0.isEmpty }) { throw Problem("written before it was known") }
            return false
        }
        try await within(.seconds(60)) { [writer, done] in _ = try await writer.perform { done.update { $0.append(1) } }
        }
        #expect(asked.read { $0 } >= 3)
        #expect(done.read { $0 } == [1])
    }

    @Test("after a long pause nothing is written if the run has another owner")
    func otherOwner() async throws {
        let writer = VolumeWriter(longestTurn: .zero)
        writer.look { true }
        writer.enqueue { [done] in done.update { $0.append(1) } }
        let result: Void? = try await within(.seconds(60)) { try await writer.perform {} }
        #expect(result == nil)
        #expect(writer.isFenced())
        #expect(done.update { $0 } == [])
    }

    @Test("after a long pause the owner of the run continues to write")
    func sameOwner() async throws {
        let writer = VolumeWriter(longestTurn: .zero)
        writer.look { false }
        #expect(try await within(.seconds(60)) { try await writer.perform { 1 } } == 1)
        #expect(!writer.isFenced())
    }

    @Test("without a long pause the volume is not asked who owns the run")
    func withoutPause() async throws {
        let asked = Monitor(0)
        let writer = VolumeWriter(longestTurn: .seconds(3600))
        writer.look {
            asked.update { $0 += 1 }
            return true
        }
        #expect(try await within(.seconds(60)) { try await writer.perform { 1 } } == 1)
        #expect(asked.read { $0 } == 0)
    }

    /// The job that hung was done when the call returned. The next one must not run.
    @Test("a hang within a job counts as a pause for the next one")
    func hangInJob() async throws {
        let longestTurn = Duration.milliseconds(100)
        let writer = VolumeWriter(longestTurn: longestTurn)
        let superseded = Monitor(false)
        writer.look { superseded.read { $0 } }
        let gate = writer.hang()
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        writer.enqueue { [done] in done.update { $0.append(1) } }
        superseded.update { $0 = true }
        let start = ContinuousClock.now
        try await eventuallyTrue(within: .seconds(60)) { start.duration(to: .now) > longestTurn }
        gate.open()
        let result: Void? = try await within(.seconds(60)) { try await writer.perform {} }
        #expect(result == nil)
        #expect(done.update { $0 } == [])
    }
}
