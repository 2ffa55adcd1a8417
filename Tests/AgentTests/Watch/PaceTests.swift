import Shared
import Testing

@testable import Agent

@Suite struct PaceTests {
    private static func pace(_ steps: (step: Double?, at: Double)...) -> Pace {
        var pace = Pace()
        for (step, now) in steps { pace.observe(step: step, at: now) }
        return pace
    }

    private let minute = Limits.Stall.after(.seconds(60))

    @Test("a training can stall only after its step has changed twice")
    func twoChanges() {
        #expect(Pace().stalled(minute, at: 1e6) == nil)
        #expect(Self.pace((nil, 0)).stalled(minute, at: 1e6) == nil)
        #expect(Self.pace((1, 0)).stalled(minute, at: 1e6) == nil)
        #expect(Self.pace((1, 0), (2, 10)).stalled(minute, at: 1e6) == nil)
        #expect(Self.pace((1, 0), (2, 10), (3, 20)).stalled(minute, at: 90) == 70)
        #expect(Self.pace((1, 0), (2, 10), (3, 20)).stalled(minute, at: 80) == nil)
    }

    @Test("the same step reported again does not count as a change of the step")
    func sameStep() {
        #expect(Self.pace((1, 0), (1, 10), (1, 20), (2, 30), (2, 40)).stalled(minute, at: 1e6) == nil)
        #expect(Self.pace((1, 0), (2, 10), (3, 20), (3, 70), (nil, 75)).stalled(minute, at: 81) == 61)
    }

    /// An evaluation counts from 0 again.
    @Test("a step that goes back counts as a change of the step")
    func stepBack() {
        #expect(Self.pace((100, 0), (0, 10), (50, 20)).stalled(minute, at: 90) == 70)
        #expect(Self.pace((1, 0), (2, 10), (3, 20), (0, 70)).stalled(minute, at: 90) == nil)
    }

    @Test("another sign of life postpones a stall")
    func signOfLife() {
        var pace = Self.pace((1, 0), (2, 10), (3, 20))
        pace.excuse(at: 90)
        #expect(pace.stalled(minute, at: 150) == nil)
        #expect(pace.stalled(minute, at: 151) == 61)
        // It is not one of the two changes.
        var early = Self.pace((1, 0))
        early.excuse(at: 10)
        early.excuse(at: 20)
        #expect(early.stalled(minute, at: 1e6) == nil)
    }

    @Test("an automatic stall limit is 10 minutes, or ten times the longest interval between two steps")
    func auto() {
        let quick = Self.pace((1, 0), (2, 1), (3, 2))
        #expect(quick.stalled(.auto, at: 2 + Pace.minAuto) == nil)
        #expect(quick.stalled(.auto, at: 3 + Pace.minAuto) == Pace.minAuto + 1)
        let slow = Self.pace((1, 0), (2, 300), (3, 310))
        #expect(slow.stalled(.auto, at: 310 + 3000) == nil)
        #expect(slow.stalled(.auto, at: 310 + 3001) == 3001)
    }

    @Test("a training without a stall limit never stalls")
    func noLimit() {
        #expect(Self.pace((1, 0), (2, 1), (3, 2)).stalled(.none, at: 1e9) == nil)
    }
}
