internal import Shared
internal import Synchronization

/// Where a log goes, byte by byte in order.
protocol LogOutput: Sendable {
    /// Takes the log's next bytes, the first of them at `offset`.
    func write(_ bytes: [UInt8], at offset: Int) throws

    /// The bytes of `lost`, the last that were written, are not part of the log any more. Returns what a person is told.
    func lose(_ lost: Range<Int>) throws -> String

    /// The log does not have the bytes of `missing` any more, which would have come next. Returns what a person is told.
    func skip(_ missing: Range<Int>) throws -> String

    /// Comes about once a second while nothing else does.
    func tick()

    /// Nothing more will come.
    func end()
}

extension LogOutput {
    func lose(_ lost: Range<Int>) -> String {
        "\(lost.count) bytes above were lost with a pod and are not part of the log"
    }

    func skip(_ missing: Range<Int>) -> String {
        "bytes \(missing.lowerBound) to \(missing.upperBound - 1) of the log are not kept any more; "
            + "it goes on at byte \(missing.upperBound)"
    }

    func tick() {}

    func end() {}
}

/// Standard output gets the log as it is.
struct PlainOutput: LogOutput {
    let console: Console

    func write(_ bytes: [UInt8], at offset: Int) { console.output(bytes) }
}

/// Standard output gets finished lines, and what is open from time to time.
final class CompactOutput: LogOutput {
    /// Between two states of an open line that are shown.
    static let pause: Duration = .seconds(30)

    private let console: Console
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<(lines: TerminalLines, shown: ContinuousClock.Instant)>

    /// Goes on after `lines`.
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
