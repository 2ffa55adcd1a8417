internal import Synchronization

/// The moment at which the last byte came that has not to be read again.
final class ReadProgress: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func advance() { last.withLock { $0 = .now } }

    var silence: Duration { last.withLock { $0.duration(to: .now) } }
}
