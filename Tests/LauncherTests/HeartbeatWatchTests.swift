import Testing

@testable import Launcher

@Suite("A launcher watches the heartbeat of an agent that it cannot see") struct HeartbeatWatchTests {
    /// Observations as (seconds, heartbeat, attempt), and the verdict after the last one.
    typealias Observation = (at: Double, beat: String?, attempt: Int)

    private func verdict(_ observations: [Observation]) -> HeartbeatWatch.Verdict? {
        var watch = HeartbeatWatch(timeout: .seconds(12))
        let start = ContinuousClock.now
        for (at, beat, attempt) in observations {
            watch.observe(beat.map { Array($0.utf8) }, of: attempt, at: start + .seconds(at))
        }
        return watch.verdict
    }

    @Test("one observation gives no verdict") func first() {
        #expect(verdict([(0, "1", 1)]) == nil)
        #expect(verdict([(0, "1", 1), (4, "1", 1), (8, "1", 1)]) == nil)
    }

    @Test("a heartbeat that changes means that the agent lives") func change() {
        #expect(verdict([(0, "1", 1), (4, "2", 1)]) == .alive)
        #expect(verdict([(0, nil, 1), (4, "1", 1)]) == .alive)
        #expect(verdict([(0, "1", 1), (4, "2", 1), (8, "2", 1), (12, "2", 1), (15, "2", 1)]) == .alive)
    }

    @Test("a new attempt means that its agent lives") func newAttempt() {
        #expect(verdict([(0, "1", 1), (4, "1", 2)]) == .alive)
    }

    @Test("a heartbeat that stands still for the timeout proves nothing") func still() {
        #expect(verdict([(0, "1", 1), (4, "1", 1), (8, "1", 1), (12, "1", 1)]) == .unknown)
        #expect(verdict([(0, nil, 1), (4, nil, 1), (8, nil, 1), (12, nil, 1)]) == .unknown)
        #expect(verdict([(0, "1", 1), (4, "2", 1), (8, "2", 1), (12, "2", 1), (16, "2", 1)]) == .unknown)
    }

    @Test("a machine that slept between two observations counts anew") func sleep() {
        #expect(verdict([(0, "1", 1), (3600, "1", 1)]) == nil)
        #expect(verdict([(0, "1", 1), (4, "2", 1), (3600, "2", 1)]) == .alive)
    }
}
