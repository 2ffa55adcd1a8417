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
    private let looks: @Sendable (_ look: Int) throws -> Bool
    private let counts = Mutex((ends: 0, looks: 0))
    private let record: @Sendable (String) -> Void

    /// `answer` decides on each request to end the pod, `look` on each check of its state; both count from 1.
    /// `record` gets each request.
    init(
        _ name: String = "a route", answer: @escaping @Sendable (Int) -> Answer = { _ in .taken },
        look: @escaping @Sendable (Int) throws -> Bool = { _ in true },
        record: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.name = name
        answers = answer
        looks = look
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
            counts.looks += 1
            return counts.looks
        }
        return try looks(count)
    }
}
