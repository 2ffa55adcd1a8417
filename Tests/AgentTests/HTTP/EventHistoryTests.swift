import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

/// The changes that are kept as events, and the events from which a client may resume.
@Suite struct EventHistoryTests {
    private let history = EventHistory()
    private let run: TestRun

    init() throws { run = try TestRun() }

    private func record(_ attempt: Int) throws -> AttemptRecord {
        AttemptRecord(claim: try run.attempt(attempt), run: run.id, spec: "f")
    }

    private func id(_ text: String) throws -> EventHistory.ID { try #require(EventHistory.ID(text)) }

    @Test("each change of an attempt's record is an event, numbered in sequence")
    func changes() throws {
        var record = try record(1)
        history.take(record)
        record.enter(.training, at: Date())
        record.step = 3
        history.take(record)
        record.outcome = Outcome(.failed, exit: .code(1))
        history.take(record)
        let events = try #require(history.events(after: try id("1.0")))
        #expect(events.map(\.id.description) == ["1.1", "1.2", "1.3"])
        #expect(events.map(\.change.state) == [.claiming, .training, nil])
        #expect(events.map(\.change.step) == [nil, 3, nil])
        #expect(events.map(\.change.outcome) == [nil, nil, Outcome(.failed, exit: .code(1))])
        #expect(events.allSatisfy { $0.change.attempt == 1 })
        #expect(history.events(after: try id("1.2")) == [events[2]])
        #expect(history.events(after: try id("1.3")) == [])
    }

    @Test("a change of an attempt's duration alone is no event")
    func duration() throws {
        var record = try record(1)
        history.take(record)
        record.lasted(20)
        history.take(record)
        history.take(record)
        #expect(history.last == (try id("1.1")))
    }

    @Test("of events that change nothing but the step only the newest is kept")
    func steps() throws {
        var record = try record(1)
        history.take(record)
        for step in 1...1000 {
            record.step = Double(step)
            history.take(record)
        }
        let events = try #require(history.events(after: try id("1.0")))
        #expect(events.map(\.id.description) == ["1.1", "1.1001"])
        #expect(events.last?.change.step == 1000)
        // A client that saw a step which is not kept has missed nothing but steps.
        #expect(history.events(after: try id("1.500")) == [events[1]])
    }

    @Test("the history of events is bounded, and a client that missed one cannot resume")
    func bounded() throws {
        var record = try record(1)
        for number in 1...EventHistory.capacity + 10 {
            record.next = Date(timeIntervalSince1970: Double(number))
            history.take(record)
        }
        #expect(history.events(after: try id("1.9")) == nil)
        let kept = try #require(history.events(after: try id("1.10")))
        #expect(kept.count == EventHistory.capacity)
        #expect(kept.first?.id == (try id("1.11")))
    }

    @Test("events of the next attempt are numbered from 1 and follow those of the last one")
    func nextAttempt() throws {
        history.take(try record(2))
        var next = try record(3)
        history.take(next)
        next.enter(.training, at: Date())
        history.take(next)
        #expect(history.events(after: try id("2.1"))?.map(\.id.description) == ["3.1", "3.2"])
        #expect(history.events(after: try id("2.1"))?.first?.change.state == .claiming)
    }

    @Test(
        "a client cannot resume from an event id that this agent never gave",
        arguments: ["1.1", "1.7", "2.2", "3.0", "2.9223372036854775807"])
    func unknownID(_ text: String) throws {
        history.take(try record(2))
        #expect(history.events(after: try id(text)) == nil)
        #expect(history.events(after: try id("2.1")) == [])
    }

    @Test(
        "a malformed event id is not accepted",
        arguments: ["", "1", "1.", ".1", "1.2.3", "a.1", "1.a", "1,2", "1 .2", "99999999999999999999.1"])
    func malformedID(_ text: String) { #expect(EventHistory.ID(text) == nil) }

    @Test("a client that waits for an event is woken by the next one")
    func wakes() async throws {
        var record = try record(1)
        history.take(record)
        let waiter = Task { [history] in try await history.event(after: EventHistory.ID(attempt: 1, sequence: 1)) }
        record.enter(.training, at: Date())
        history.take(record)
        try await within(.seconds(60), "the event") { try await waiter.value }
    }

    @Test("a cancelled client stops waiting for an event")
    func cancelled() async throws {
        history.take(try record(1))
        let waiter = Task { [history] in try await history.event(after: EventHistory.ID(attempt: 1, sequence: 1)) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60), "the end of the waiter") { try await waiter.value }
        }
    }
}
