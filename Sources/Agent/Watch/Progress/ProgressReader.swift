internal import Shared

/// The progress of the training, as its output reports it.
struct Progress: Sendable, Equatable {
    /// The step, as the training counts it: over all epochs or from the beginning of each.
    var step: Double?
    /// The step at which the count ends; nil if the output does not say it.
    var total: Double?
    var loss: Double?
}

/// Reads the training's progress from what it prints.
///
/// Each label and each bar is a series of numbers that is followed over time. The step is the most trusted series that
/// moves, see `ProgressLabels.Kind`. A wrong step is worse than none: what may be something else is not read.
struct ProgressReader: Sendable {
    private struct Series {
        var value: Double
        var total: Double?
        /// The number of changes of the value.
        var changes = 0
        /// `moves` at the last change.
        var lastMove: Int
        /// Most moves of anything between two changes.
        var longestGap = 0
    }

    /// Series that are followed; the output of a program that prints numbers at will has no more.
    private static let maxSeries = 64
    /// Moves of other series after which one that does not move is given up.
    private static let staleMoves = 1000

    private let pattern: StepPattern?
    private var lines = PlainLines()
    private var series: [Reading.Series: Series] = [:]
    private var mainBar = MainBar()
    private var traceback = Traceback()
    private var announcedTotal: Double?
    private var losses: [String: Double] = [:]

    /// The number of changes of any step or bar. While it rises the training is alive.
    private(set) var moves = 0
    private var bars: [String: Double] = [:]
    /// The last line that was read, without escape codes.
    private(set) var lastLine: [UInt8] = []

    /// `pattern` is a regular expression with one group, the step. It replaces all that is known of trainers.
    /// `say` writes a line to the run's log.
    init(pattern: String?, say: @escaping @Sendable (LogLine) -> Void = { _ in }) throws(Problem) {
        self.pattern = if let pattern { try StepPattern(pattern, say: say) } else { nil }
    }

    /// Takes the next bytes of the output; none after a while of silence, which completes an open line.
    mutating func read(_ bytes: ArraySlice<UInt8>) {
        if bytes.isEmpty {
            if let line = lines.takeOpen() { read(line: line) }
            return
        }
        for line in lines.take(bytes) { read(line: line) }
    }

    private mutating func read(line: [UInt8]) {
        if traceback.take(line) { return }
        lastLine = line
        let readings = LineReadings(of: line)
        for (label, value) in readings.losses { losses[label] = value }
        if let total = readings.total { announcedTotal = total }
        if let bar = readings.bar { take(bar) }
        if let pattern {
            if let step = pattern.step(in: line) {
                take(Reading(series: Reading.Series(kind: .globalStep, label: "progress"), value: step))
            }
            return
        }
        for reading in readings.steps { take(reading) }
    }

    private mutating func take(_ bar: ProgressBar) {
        let key = "\(bar.label) \(bar.total ?? 0)"
        if bars[key] != bar.value {
            if bars.count < Self.maxSeries || bars[key] != nil { bars[key] = bar.value }
            moves += 1
        }
        guard pattern == nil, mainBar.take(bar) else { return }
        take(Reading(series: Reading.Series(kind: .bar, label: ""), value: bar.value, total: bar.total))
    }

    private mutating func take(_ reading: Reading) {
        guard var known = series[reading.series] else {
            guard series.count < Self.maxSeries else { return }
            moves += 1
            series[reading.series] = Series(value: reading.value, total: reading.total, lastMove: moves)
            return
        }
        if let total = reading.total { known.total = total }
        if known.value != reading.value {
            moves += 1
            known.changes += 1
            known.longestGap = max(known.longestGap, moves - known.lastMove)
            known.lastMove = moves
            known.value = reading.value
        }
        series[reading.series] = known
    }

    /// The progress as it is known now.
    var progress: Progress {
        let loss = ProgressLabels.losses.lazy.compactMap { losses[$0] }.first
        guard let best = series.min(by: { isBetter($0, $1) })?.value else {
            return Progress(step: nil, total: nil, loss: loss)
        }
        let announced = announcedTotal.flatMap { $0 >= best.value ? $0 : nil }
        return Progress(step: best.value, total: best.total ?? announced, loss: loss)
    }

    private typealias Entry = (key: Reading.Series, value: Series)

    private func isBetter(_ left: Entry, _ right: Entry) -> Bool {
        let (leftMoves, rightMoves) = (isMoving(left.value), isMoving(right.value))
        if leftMoves != rightMoves { return leftMoves }
        if left.key.kind != right.key.kind { return left.key.kind < right.key.kind }
        if left.value.changes != right.value.changes { return left.value.changes > right.value.changes }
        return left.key.label < right.key.label
    }

    private func isMoving(_ series: Series) -> Bool {
        let still = moves - series.lastMove
        return series.changes > 0 && still <= max(Self.staleMoves, 5 * series.longestGap)
    }
}
