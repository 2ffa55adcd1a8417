/// Tells the training's own progress bar from those that come and go beside it: evaluations, samples, downloads.
struct MainBar: Sendable {
    private struct Bar {
        var label: String
        var value: Double
        var total: Double?
        /// The number of changes of its value.
        var changes = 0

        var isComplete: Bool { total.map { value >= $0 } ?? false }

        func isSame(as other: ProgressBar) -> Bool {
            // Epochs have the same words, and not always the same length.
            label == other.label && (!label.isEmpty || total == other.total)
        }
    }

    private var main: Bar?
    /// A bar that began after the main one was complete. It may be the next part of the training, or an evaluation.
    private var next: Bar?

    /// Takes a bar that was drawn. Returns true if it is the training's.
    mutating func take(_ bar: ProgressBar) -> Bool {
        guard !bar.isNested else { return false }
        guard let main else { return begin(with: bar) }
        if main.isSame(as: bar) {
            self.main = Self.moved(main, to: bar)
            if bar.value < main.value { next = nil }
            return true
        }
        let isNamed = !bar.label.isEmpty && main.label.isEmpty
        guard main.isComplete || isNamed else { return false }
        if isNamed { return begin(with: bar) }
        let other = next.flatMap { $0.isSame(as: bar) ? $0 : nil }
        let moved = other.map { Self.moved($0, to: bar) } ?? Bar(label: bar.label, value: bar.value, total: bar.total)
        next = moved
        // An evaluation is shorter than the training before it.
        return moved.changes > main.changes ? begin(with: bar) : false
    }

    private mutating func begin(with bar: ProgressBar) -> Bool {
        main = Bar(label: bar.label, value: bar.value, total: bar.total)
        next = nil
        return true
    }

    private static func moved(_ bar: Bar, to new: ProgressBar) -> Bar {
        var bar = bar
        if bar.value != new.value { bar.changes += 1 }
        (bar.value, bar.total) = (new.value, new.total)
        return bar
    }
}
