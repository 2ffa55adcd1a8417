import Glibc
import TestSupport
import Testing

@testable import Agent

@Suite struct MonitorTests {
    @Test("each update of a monitor wakes the thread that waits for it")
    func wakes() async throws {
        let monitor = Monitor(0)
        let seen = Monitor<[Int]>([])
        for turn in 0..<4 {
            // Each thread waits for its turn, which the one before it gives.
            try DedicatedThread.start {
                _ = monitor.wait { $0 == turn ? true : nil }
                seen.update { $0.append(turn) }
                monitor.update { $0 += 1 }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { monitor.update { $0 } == 4 }
        #expect(seen.update { $0 } == [0, 1, 2, 3])
    }

    @Test("no update of a monitor by eight threads is lost")
    func atomic() async throws {
        let monitor = Monitor(0)
        let ended = Monitor(0)
        for _ in 0..<8 {
            try DedicatedThread.start {
                for _ in 0..<1000 { monitor.update { $0 += 1 } }
                ended.update { $0 += 1 }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { ended.update { $0 } == 8 }
        #expect(monitor.update { $0 } == 8000)
    }

    private struct Two {
        var mark = 0
        var other = 0
        var isOver = false
    }

    /// Updates every 20 ms, `count` times. Returns how long a wait with a timeout of 300 ms lasted.
    private func wait(
        updates count: Int, _ update: @escaping @Sendable (inout Two) -> Void
    ) async throws -> Duration {
        let monitor = Monitor(Two())
        try DedicatedThread.start {
            for _ in 0..<count where !monitor.read(\.isOver) {
                usleep(20_000)
                monitor.update(update)
            }
        }
        return try await DedicatedThread.run {
            let start = ContinuousClock.now
            let result: Bool? = monitor.wait(while: \.mark, staysFor: .milliseconds(300)) { _ in nil }
            #expect(result == nil)
            monitor.update { $0.isOver = true }
            return start.duration(to: .now)
        }
    }

    @Test("a wait on a monitor times out although other parts of its state change")
    func timeoutEnds() async throws {
        let lasted = try await wait(updates: 500) { $0.other += 1 }
        #expect(lasted >= .milliseconds(300) && lasted < .seconds(5), "\(lasted)")
    }

    @Test("the timeout of a wait on a monitor restarts when its mark changes")
    func timeoutRestarts() async throws {
        let lasted = try await wait(updates: 50) { $0.mark += 1 }
        #expect(lasted >= .milliseconds(1300))
    }

    @Test("an update of a monitor that throws releases its lock")
    func errorUnlocks() {
        struct Refused: Error {}
        let monitor = Monitor(1)
        #expect(throws: Refused.self) { try monitor.update { _ throws(Refused) in throw Refused() } }
        #expect(monitor.update { $0 } == 1)
    }
}
