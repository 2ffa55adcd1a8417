#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// How a training was ended that did not end by itself, step by step. Times are in seconds after it was asked for, on a monotonic clock.
public struct TeardownReport: Sendable, Codable, Equatable {
    /// When it was asked for, by the pod's clock: of a SIGTERM, when `init` got it.
    public var asked: Date
    /// When `serve` began: `init` holds a signal back until it is ready.
    public var startedAfter: Double
    /// When the reason was on stable storage. nil where it was not before the end.
    public var recordedAfter: Double?
    /// What was sent, in order of time. Nothing where the training ended before its turn.
    public var signals: [Signal] = []
    /// When nothing of the training was left. nil where something outlasted even SIGKILL, or `init` cut this record short.
    public var goneAfter: Double?

    public struct Signal: Sendable, Codable, Equatable {
        public var after: Double
        public var number: Int32
        public var target: Target
        /// How many got it.
        public var processes: Int

        public init(after: Double, number: Int32, target: Target, processes: Int) {
            self.after = after
            self.number = number
            self.target = target
            self.processes = processes
        }
    }

    public enum Target: String, Sendable, Codable {
        /// The training's own process; of a shell, what the shell runs.
        case training
        /// And everything that it started.
        case tree
    }

    public init(asked: Date, startedAfter: Double) {
        self.asked = asked
        self.startedAfter = startedAfter
    }
}
