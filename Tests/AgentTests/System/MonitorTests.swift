import TestSupport
import Testing

@testable import Agent

@Suite struct MonitorTests {
    @Test func eachUpdateIsSeen() async throws {
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
        try await eventually { monitor.update { $0 } == 4 }
        #expect(seen.update { $0 } == [0, 1, 2, 3])
    }

    @Test func updatesDoNotMix() async throws {
        let monitor = Monitor(0)
        let ended = Monitor(0)
        for _ in 0..<8 {
            try DedicatedThread.start {
                for _ in 0..<1000 { monitor.update { $0 += 1 } }
                ended.update { $0 += 1 }
            }
        }
        try await eventually { ended.update { $0 } == 8 }
        #expect(monitor.update { $0 } == 8000)
    }

    @Test func anErrorGivesTheLockBack() {
        struct Refused: Error {}
        let monitor = Monitor(1)
        #expect(throws: Refused.self) { try monitor.update { _ throws(Refused) in throw Refused() } }
        #expect(monitor.update { $0 } == 1)
    }
}
