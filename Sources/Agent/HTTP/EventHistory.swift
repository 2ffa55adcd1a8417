internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// The last changes of this agent's attempts, for clients that follow them.
///
/// A change of the step alone replaces an earlier one, so a long training pushes out no other change.
final class EventHistory: Sendable {
    /// The name of an event, unique over all attempts of the run: `attempt.sequence`. An agent that starts again has
    /// another attempt.
    struct ID: Sendable, Comparable, CustomStringConvertible {
        var attempt: Int
        var sequence: Int

        init(attempt: Int, sequence: Int) {
            self.attempt = attempt
            self.sequence = sequence
        }

        init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 2, let attempt = parts[0], let sequence = parts[1] else { return nil }
            self.init(attempt: attempt, sequence: sequence)
        }

        var description: String { "\(attempt).\(sequence)" }

        static func < (one: ID, other: ID) -> Bool {
            (one.attempt, one.sequence) < (other.attempt, other.sequence)
        }
    }

    struct Event: Sendable, Equatable {
        var id: ID
        var change: AttemptChange
    }

    /// The number of events that are kept.
    static let capacity = 200

    fileprivate struct State {
        var events: [Event] = []
        var record: AttemptRecord?
        /// The newest event.
        var last: ID?
        /// The newest event that is not kept any more.
        var forgotten: ID?
        /// Fulfilled with the next event.
        var next = Promise<Void>()
    }

    private let state = Mutex(State())

    /// The newest event; nil before the first one.
    var last: ID? { state.withLock(\.last) }

    /// Takes the record as it is now. A record of another attempt begins another sequence.
    func take(_ record: AttemptRecord) {
        state.withLock { $0.take(record) }?.fulfil(())
    }

    /// Returns the events after `id` in order; nil if some of them are not kept, or `id` is unknown to this agent.
    func events(after id: ID) -> [Event]? {
        state.withLock { state in
            guard let last = state.last, let forgotten = state.forgotten, forgotten <= id, id <= last else {
                return nil
            }
            return state.events.filter { $0.id > id }
        }
    }

    /// Returns once there is an event after `id`.
    func event(after id: ID) async throws(CancellationError) {
        while let next = state.withLock({ state in (state.last ?? id) > id ? nil : state.next }) {
            try await next.valueUnlessCancelled
        }
    }
}

extension EventHistory.State {
    /// Returns what is to be kept outside of the lock.
    fileprivate mutating func take(_ new: AttemptRecord) -> Promise<Void>? {
        let old = record?.number == new.number ? record : nil
        record = new
        guard let change = AttemptChange(from: old, to: new, at: Date()) else { return nil }
        let sequence = last.map { $0.attempt == new.number ? $0.sequence + 1 : 1 } ?? 1
        let id = EventHistory.ID(attempt: new.number, sequence: sequence)
        if forgotten == nil { forgotten = EventHistory.ID(attempt: new.number, sequence: 0) }
        if change.isStepAlone { events.removeAll { $0.change.isStepAlone } }
        events.append(EventHistory.Event(id: id, change: change))
        if events.count > EventHistory.capacity { forgotten = events.removeFirst().id }
        last = id
        defer { next = Promise() }
        return next
    }
}
