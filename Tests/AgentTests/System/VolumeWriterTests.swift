import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct VolumeWriterTests {
    private let writer = VolumeWriter()
    private let done = Monitor<[Int]>([])

    @Test func jobsRunInTheirOrder() async throws {
        for number in 0..<1000 { writer.enqueue { [done] in done.update { $0.append(number) } } }
        let seen = try await within(.seconds(60)) { [writer, done] in
            try await writer.perform { done.update { $0.count } }
        }
        #expect(seen == 1000)
        #expect(done.update { $0 } == Array(0..<1000))
    }

    @Test func oneAtATime() async throws {
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

    @Test func anErrorIsThePerformersAlone() async throws {
        await #expect(throws: Problem.self) { try await writer.perform { throw Problem("no") } }
        #expect(try await writer.perform { 1 } == 1)
    }

    @Test func afterTheFenceNothingIsWritten() async throws {
        let gate = writer.hang()
        try await eventually { gate.isReached }
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
}
