internal import Shared
internal import Synchronization

/// Takes a log's bytes in order.
protocol LogOutput: Sendable {
    /// Takes the next bytes of the log. The first one is at `offset`.
    func write(_ bytes: [UInt8], at offset: Int) throws

    /// Takes back the last bytes written, `lost`: they are no part of the log any more. Returns a sentence for the
    /// user.
    func lose(_ lost: Range<Int>) throws -> String

    /// Skips the next bytes, `missing`, which the log does not keep any more. Returns a sentence for the user.
    func skip(_ missing: Range<Int>) throws -> String

    /// Called about once a second while the follower waits.
    func tick()

    /// Called after the last byte.
    func end()
}

extension LogOutput {
    func lose(_ lost: Range<Int>) -> String {
        "\(lost.count) bytes above were lost with a pod and are not part of the log"
    }

    func skip(_ missing: Range<Int>) -> String {
        "bytes \(missing.lowerBound) to \(missing.upperBound - 1) of the log are not kept any more; "
            + "it continues at byte \(missing.upperBound)"
    }

    func tick() {}

    func end() {}
}

/// Writes the log unchanged to standard output.
struct PlainOutput: LogOutput {
    let console: Console

    func write(_ bytes: [UInt8], at offset: Int) { console.output(bytes) }
}

/// Writes finished lines to standard output, and a snapshot of the unfinished line from time to time.
final class CompactOutput: LogOutput {
    /// Time between two snapshots.
    static let pause: Duration = .seconds(30)

    private let console: Console
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<(lines: TerminalLines, shown: ContinuousClock.Instant)>

    /// Continues the unfinished lines of `lines`.
    init(
        console: Console, after lines: TerminalLines = TerminalLines(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.console = console
        self.now = now
        state = Mutex((lines, now()))
    }

    func write(_ bytes: [UInt8], at offset: Int) {
        print { $0.lines.feed(bytes) }
    }

    func tick() {
        print { [now] in
            guard $0.shown.duration(to: now()) >= Self.pause else { return [] }
            $0.shown = now()
            return $0.lines.snapshot()
        }
    }

    func end() {
        print { $0.lines.end() }
    }

    private func print(_ take: (inout (lines: TerminalLines, shown: ContinuousClock.Instant)) -> [UInt8]) {
        state.withLock {
            let bytes = take(&$0)
            if !bytes.isEmpty { console.output(bytes) }
        }
    }
}
