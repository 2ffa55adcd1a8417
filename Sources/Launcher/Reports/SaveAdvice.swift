internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The best interval between saves, from the time that a save takes and from how often this run was interrupted.
///
/// An interruption costs half an interval on average, and each interval costs the time of a save. The sum is least at
/// √(2 × save time × time between interruptions): J. W. Young, "A first order approximation to the optimum checkpoint
/// interval", 1974. J. T. Daly's further terms (2006) change that by a tenth if a save takes a twentieth of the time
/// between interruptions, by less below. The sum is so flat there that they do not matter.
struct SaveAdvice: Sendable, Equatable {
    /// Seconds that the median save took; nil if none was timed.
    var save: Double?
    /// Median seconds from one save to the next; nil if no attempt saved twice.
    var interval: Double?
    var interruptions: Int
    /// Seconds of training in all attempts together.
    var training: Double

    /// Seconds. The watch scans once a second and cannot time a shorter save.
    private static let shortestSave = 1.0

    init(save: Double?, interval: Double?, interruptions: Int, training: Double) {
        (self.save, self.interval, self.interruptions, self.training) = (save, interval, interruptions, training)
    }

    /// `lost` is the time of the last heartbeat if the pod is gone and left no record of its end.
    init(checkpoints: [CheckpointList.Checkpoint], attempts: [AttemptRecord], lost: Date? = nil, at now: Date) {
        let proven = checkpoints.filter(\.isProven)
        save = Self.median(proven.compactMap(\.saveSeconds))
        // Only the last save under a fixed name still exists.
        let numbered = proven.filter { $0.step != nil }
        let pairs = zip(numbered, numbered.dropFirst()).filter { $0.receipt?.attempt == $1.receipt?.attempt }
        interval = Self.median(
            pairs.compactMap { earlier, later in
                earlier.saved.flatMap { later.saved?.timeIntervalSince($0) }
            }.filter { $0 > 0 })
        interruptions = attempts.count { $0.wasInterrupted || $0.isTraining && lost != nil }
        training = attempts.reduce(0) { $0 + $1.trainingSeconds(until: lost ?? now) }
    }

    /// Seconds; nil if there is not enough data.
    var best: Double? {
        guard let save, let between else { return nil }
        return (2 * max(save, Self.shortestSave) * between).squareRoot()
    }

    /// Seconds of training for each interruption.
    private var between: Double? { interruptions > 0 && training > 0 ? training / Double(interruptions) : nil }

    /// One line.
    var text: String {
        guard let save else { return "how often to save cannot be told: no save was timed yet" }
        guard let between, let best else {
            let reason =
                interruptions == 0
                ? "no interruption in \(Format.clock(training)) of training"
                : "nothing is known of how long it trained"
            return "how often to save cannot be told: \(reason)"
        }
        let length = save < Self.shortestSave ? "at most 1 s" : Format.clock(save)
        let times = interruptions == 1 ? "1 interruption" : "\(interruptions) interruptions"
        let rate = "\(Format.clock(between)) between interruptions"
        let source = "\(times) in \(Format.clock(training)) of training"
        guard best < between else {
            return
                "the saves take too long for so many interruptions: \(length) each, \(rate) (\(source)); make them shorter"
        }
        let current = interval.map { "; now it is every \(Format.clock($0))" } ?? ""
        return "save every \(Format.clock(best)) = √(2 × \(length) for a save × \(rate)); \(source)\(current)"
    }

    private static func median(_ values: [Double]) -> Double? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}

extension AttemptRecord {
    fileprivate var isTraining: Bool { state == .training }

    /// Whether its training ended too early and without a request of the user.
    fileprivate var wasInterrupted: Bool {
        guard began(.training) != nil, state == .ended || state == .waiting else { return false }
        return switch outcome?.kind {
        case .interrupted, .agentCrash, .failed, .outOfMemory, .stalled: true
        case .finished, .stopped, .overLimit, .setupFailed, nil: false
        }
    }

    /// `now` is the end if the training continues.
    fileprivate func trainingSeconds(until now: Date) -> Double {
        guard let index = phases.lastIndex(where: { $0.state == .training }) else { return 0 }
        let end = index + 1 < phases.count ? phases[index + 1].began : now
        return max(0, end.timeIntervalSince(phases[index].began))
    }
}
