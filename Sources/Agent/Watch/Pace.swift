internal import Shared

/// How a training goes on from step to step, and when it has stood still for too long. Times are in seconds on one clock.
struct Pace: Sendable {
    /// What `auto` waits at the least: compiling, a first epoch's loading and an evaluation take minutes.
    static let leastAuto = 600.0
    /// What `auto` waits, in longest intervals between two steps.
    static let autoFactor = 10.0

    private(set) var step: Double?
    private var changes = 0
    private var changed: Double?
    private var longest = 0.0

    /// `step` is the last one told so far. Any change is one: an evaluation counts anew.
    mutating func observe(step: Double?, at now: Double) {
        guard let step, step != self.step else { return }
        if let changed { longest = max(longest, now - changed) }
        changes += self.step == nil ? 0 : 1
        changed = now
        self.step = step
    }

    /// Something else shows that it goes on, a save for instance.
    mutating func excuse(at now: Double) {
        if changed != nil { changed = now }
    }

    /// For how long there was no new step, where that is too long. Nothing is, before two steps followed the first one.
    func stalled(_ limit: Limits.Stall, at now: Double) -> Double? {
        guard changes >= 2, let changed else { return nil }
        let patience: Double
        switch limit {
        case .none: return nil
        case .after(let seconds): patience = seconds
        case .auto: patience = max(Self.leastAuto, Self.autoFactor * longest)
        }
        let still = now - changed
        return still > patience ? still : nil
    }
}
