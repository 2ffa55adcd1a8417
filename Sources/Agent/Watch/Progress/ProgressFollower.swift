internal import Shared
internal import Synchronization

/// Follows the training's progress in the tail of its output.
final class ProgressFollower: Sendable {
    private struct State {
        var reader: ProgressReader
        /// Bytes of the output that were read or passed over.
        var count = 0
        /// When the last of them were read.
        var lastRead = ContinuousClock.now
    }

    /// Time without new bytes after which a line without an end is read: it is not half written then.
    private static let silence: Duration = .milliseconds(900)

    private let tail: OutputTail
    private let state: Mutex<State>

    /// `pattern` is the user's own expression for the step, see `ProgressReader`. Throws if it is none.
    /// `say` writes a line to the run's log.
    init(
        tail: OutputTail, pattern: String?, say: @escaping @Sendable (LogLine) -> Void = { _ in }
    ) throws(Problem) {
        self.tail = tail
        state = Mutex(State(reader: try ProgressReader(pattern: pattern, say: say)))
    }

    /// Reads what came since the last call, and returns what is known now. `moves` is that of `ProgressReader`.
    @discardableResult
    func update(at now: ContinuousClock.Instant = .now) -> (progress: Progress, moves: Int) {
        state.withLock { state in
            let (count, bytes) = tail.bytes(after: state.count)
            if bytes.isEmpty {
                if state.lastRead.duration(to: now) >= Self.silence { state.reader.read([]) }
            } else {
                state.reader.read(bytes)
                (state.count, state.lastRead) = (count, now)
            }
            return (state.reader.progress, state.reader.moves)
        }
    }

    /// The last line that was read; empty if there is none.
    var lastLine: String { state.withLock { $0.reader.lastLine.text } }

    /// Reads all there is, a line without an end too: the training prints no more.
    func finish() -> Progress {
        update()
        return update(at: .now + Self.silence).progress
    }
}
