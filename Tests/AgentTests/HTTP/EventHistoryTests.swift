import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

/// What is kept of the changes, and who may go on from where.
@Suite struct EventHistoryTests {
    private let history = EventHistory()
    private let run: TestRun

    init() throws { run = try TestRun() }

    private func record(_ attempt: Int) throws -> AttemptRecord {
        AttemptRecord(claim: try run.attempt(attempt), run: run.id, spec: "f")
    }

    private func id(_ text: String) throws -> EventHistory.ID { try #require(EventHistory.ID(text)) }

    @Test func eachChangeIsAnEvent() throws {
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

    @Test func whatNobodyCaresAboutIsNone() throws {
        var record = try record(1)
        history.take(record)
        record.seconds = 20
        history.take(record)
        history.take(record)
        #expect(history.last == (try id("1.1")))
    }

    @Test func ofStepsAloneTheNewestIsKept() throws {
        var record = try record(1)
        history.take(record)
        for step in 1...1000 {
            record.step = Double(step)
            history.take(record)
        }
        let events = try #require(history.events(after: try id("1.0")))
        #expect(events.map(\.id.description) == ["1.1", "1.1001"])
        #expect(events.last?.change.step == 1000)
        // Who saw a step that is not kept has missed nothing but steps.
        #expect(history.events(after: try id("1.500")) == [events[1]])
    }

    @Test func theHistoryIsBoundedAndTellsWhoMissedSomething() throws {
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

    @Test func anotherAttemptBeginsAnotherSequence() throws {
        history.take(try record(2))
        var next = try record(3)
        history.take(next)
        next.enter(.training, at: Date())
        history.take(next)
        #expect(history.events(after: try id("2.1"))?.map(\.id.description) == ["3.1", "3.2"])
        #expect(history.events(after: try id("2.1"))?.first?.change.state == .claiming)
    }

    @Test(arguments: ["1.1", "1.7", "2.2", "3.0", "2.9223372036854775807"])
    func whatThisAgentNeverSaidIsNotGoneOnFrom(_ text: String) throws {
        history.take(try record(2))
        #expect(history.events(after: try id(text)) == nil)
        #expect(history.events(after: try id("2.1")) == [])
    }

    @Test(arguments: ["", "1", "1.", ".1", "1.2.3", "a.1", "1.a", "1,2", "1 .2", "99999999999999999999.1"])
    func noID(_ text: String) { #expect(EventHistory.ID(text) == nil) }

    @Test func whoWaitsIsWokenByTheNextEvent() async throws {
        var record = try record(1)
        history.take(record)
        let waiter = Task { [history] in try await history.event(after: EventHistory.ID(attempt: 1, sequence: 1)) }
        record.enter(.training, at: Date())
        history.take(record)
        try await within(.seconds(60), "the event") { try await waiter.value }
    }

    @Test func whoIsCancelledWaitsNoLonger() async throws {
        history.take(try record(1))
        let waiter = Task { [history] in try await history.event(after: EventHistory.ID(attempt: 1, sequence: 1)) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) {
            try await within(.seconds(60), "the end of the waiter") { try await waiter.value }
        }
    }
}
