import Shared
import Synchronization

@testable import Agent

/// A route to stop a pod that fails as its test wants it to.
final class FakeStopRoute: StopRoute {
    enum Answer: Sendable {
        case taken
        case refused
        /// It never answers, not even when its task is cancelled.
        case hangs
    }

    let name: String
    private let answers: @Sendable (_ call: Int) -> Answer
    private let checks: @Sendable (_ check: Int) throws -> Bool
    private let counts = Mutex((ends: 0, checks: 0))
    private let record: @Sendable (String) -> Void

    /// `answer` decides on each request to end the pod, `check` on each check of its state; both count from 1.
    /// `record` gets each request.
    init(
        _ name: String = "a route", answer: @escaping @Sendable (Int) -> Answer = { _ in .taken },
        check: @escaping @Sendable (Int) throws -> Bool = { _ in true },
        record: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.name = name
        answers = answer
        checks = check
        self.record = record
    }

    var ends: Int { counts.withLock(\.ends) }

    func end(_ way: PodEnd) async throws {
        let count = counts.withLock { counts in
            counts.ends += 1
            return counts.ends
        }
        record("\(way) by \(name)")
        switch answers(count) {
        case .taken: return
        case .refused: throw Problem("403 access denied")
        case .hangs: await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    }

    func isOver() async throws -> Bool {
        let count = counts.withLock { counts in
            counts.checks += 1
            return counts.checks
        }
        return try checks(count)
    }
}
