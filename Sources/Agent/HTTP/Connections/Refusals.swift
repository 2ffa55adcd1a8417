internal import Shared
internal import Synchronization

/// Counts what the server refused. It writes one line a minute at most, so that a flood does not fill the console.
final class Refusals: Sendable {
    enum Reason: String, CaseIterable {
        case badToken = "requests without the right token"
        case malformed = "malformed requests"
        case tooManyConnections = "connections over the limit"
        case tooSlow = "connections that sent no request in time"
    }

    private struct State {
        var counts: [Reason: Int] = [:]
        /// A line is due.
        var isDue = false
    }

    private let state = Mutex(State())
    private let interval: Duration
    private let write: @Sendable (String) -> Void

    init(interval: Duration = .seconds(60), write: @escaping @Sendable (String) -> Void = { Console.say($0) }) {
        self.interval = interval
        self.write = write
    }

    func count(_ reason: Reason) {
        let isFirst = state.withLock { state in
            state.counts[reason, default: 0] += 1
            defer { state.isDue = true }
            return !state.isDue
        }
        guard isFirst else { return }
        Task { [self, interval] in
            try? await Task.sleep(for: interval)
            report()
        }
    }

    private func report() {
        let counts = state.withLock { state in
            defer { state = State() }
            return state.counts
        }
        let parts = Reason.allCases.compactMap { reason in counts[reason].map { "\($0) \(reason.rawValue)" } }
        write("the API refused in the last \(interval.components.seconds) s: \(parts.joined(separator: ", "))")
    }
}
