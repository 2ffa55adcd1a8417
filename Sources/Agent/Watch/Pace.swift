internal import Shared

/// The pace of a training's steps, and when it has stalled. Times are in seconds on one clock.
struct Pace: Sendable {
    /// The lower bound of the limit `auto`: compiling, loading data and an evaluation take minutes.
    static let minAuto = 600.0
    /// The limit `auto` is this many times the longest interval between two steps so far.
    static let autoFactor = 10.0

    private(set) var step: Double?
    private var changes = 0
    private var changed: Double?
    private var longest = 0.0
    /// The first observation of each step over the last minutes.
    private var samples: [(step: Double, at: Double)] = []
    private static let sampledSeconds = 300.0

    /// Steps per second over the last minutes; nil if that is not known yet.
    var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= 1 else { return nil }
        return (last.step - first.step) / (last.at - first.at)
    }

    /// Notes the last step that the training reported. A lower number is a change too: an evaluation counts from 0
    /// again.
    mutating func observe(step: Double?, at now: Double) {
        guard let step, step != self.step else { return }
        if let changed { longest = max(longest, now - changed) }
        changes += self.step == nil ? 0 : 1
        changed = now
        // A lower number begins a new count.
        if let last = samples.last, step < last.step { samples = [] }
        samples.append((step, now))
        samples.removeAll { now - $0.at > Self.sampledSeconds }
        self.step = step
    }

    /// Begins the limit again, because something else shows that the training works: a save, for instance.
    mutating func excuse(at now: Double) {
        if changed != nil { changed = now }
    }

    /// Returns for how many seconds the step has not changed if that exceeds `limit`, else nil. Always nil until the
    /// step has changed twice.
    func stalled(_ limit: Limits.Stall, at now: Double) -> Double? {
        guard changes >= 2, let changed else { return nil }
        let timeout: Double
        switch limit {
        case .none: return nil
        case .after(let time): timeout = time.inSeconds
        case .auto: timeout = max(Self.minAuto, Self.autoFactor * longest)
        }
        let still = now - changed
        return still > timeout ? still : nil
    }
}
