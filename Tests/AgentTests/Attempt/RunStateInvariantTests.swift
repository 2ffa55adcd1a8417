import Shared
import TestSupport
import Testing

@testable import Agent

/// The invariants of an attempt, which hold for any events in any order.
@Suite struct RunStateInvariantTests {
    @Test(
        "an attempt keeps its invariants under random events in any order",
        arguments: 0..<20)
    func randomEvents(_ seed: Int) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let events = (0..<40).map { _ in Event.samples.randomElement(using: &generator) ?? .claimed }
            try check(events)
        }
    }

    /// Lives that are nearly plain reach the late states often.
    @Test(
        "an attempt keeps its invariants in a plain life with a few random events in between",
        arguments: 20..<40)
    func disturbedLives(_ seed: Int) throws {
        let plain: [Event] = [
            .claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)),
            .attemptFinished(.retry(after: .seconds(1))),
            .attemptFinished(nil), .pauseOver, .published,
        ]
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var events = plain
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let event = Event.samples.randomElement(using: &generator) ?? .claimed
                events.insert(event, at: Int.random(in: 0...events.count, using: &generator))
            }
            try check(events)
        }
    }

    private func check(_ events: [Event]) throws {
        let order = AttemptState.allCases
        var state = RunState()
        var trained = 0
        for (index, event) in events.enumerated() {
            let before = state
            let effects = state.handle(event)
            func hold(_ claim: Bool, _ what: String) {
                if claim { return }
                Issue.record("\(what): \(events[...index]): \(before) to \(state) with \(effects)")
            }

            let from = try #require(order.firstIndex(of: before.state))
            let to = try #require(order.firstIndex(of: state.state))
            hold(from <= to, "goes back")
            if before.state == .ended { hold(state.outcome == before.outcome, "another end") }
            if let outcome = before.outcome, state.outcome?.kind != outcome.kind {
                // A failure that is not retried because the user requested a stop.
                let isStopped =
                    state.state == .ended && state.outcome?.kind == .stopped && outcome.exit == state.outcome?.exit
                hold(isStopped && events[...index].contains(where: \.isStop), "another class")
            }
            if state.state == .ended { hold(state.outcome != nil, "ended without an outcome") }

            trained += effects.count { $0 == .train }
            hold(trained <= 1, "trains twice")
            if effects.contains(.train) { hold(before.outcome == nil, "trains after its end") }
            if [.outOfMemory, .leftIdle("idle")].contains(event) && before.state == .training {
                hold(effects.isEmpty, "more than a word on the end that follows at once")
            } else if before.state != state.state || before.outcome != state.outcome {
                hold(effects.first == .record, "not durable before what follows")
            } else {
                hold(!effects.contains(.record), "a record of nothing")
            }
            if let exit = effects.firstIndex(where: { if case .exit = $0 { true } else { false } }) {
                hold(exit == effects.endIndex - 1, "something after the exit")
                // The daemon sends no more events.
                return
            }
            if effects.contains(.startNext) {
                hold(effects == [.startNext] && state.state == .waiting, "not from waiting alone")
                hold(!events[..<index].contains(where: \.isStop), "tries again what was stopped")
                return
            }
        }
    }
}

extension Event {
    fileprivate var isStop: Bool { if case .stopRequested = self { true } else { false } }
}
