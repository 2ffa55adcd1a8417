#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The steps by which the agent ended a training. Times are seconds after the request, by a monotonic clock.
public struct TeardownReport: Sendable, Codable, Equatable {
    /// The time of the request by the pod's clock. For a SIGTERM it is the time at which `init` got it.
    public var asked: Date
    /// The time at which `serve` began to act. `init` keeps a signal until `serve` is ready.
    public var startedAfter: Double
    /// The time at which the reason was on stable storage. nil if that was not before the end.
    public var recordedAfter: Double?
    /// The signals in the order in which they were sent. A training that ends early gets fewer.
    public var signals: [Signal] = []
    /// The time at which no process of the training was left. nil if a process survived SIGKILL, or `init` ended
    /// `serve`.
    public var goneAfter: Double?

    public struct Signal: Sendable, Codable, Equatable {
        public var after: Double
        public var number: Int32
        public var target: Target
        /// The number of processes that got the signal.
        public var processes: Int
        /// Whether they have handlers for it; nil if that is not known.
        public var isCaught: Bool?

        public init(after: Double, number: Int32, target: Target, processes: Int, isCaught: Bool? = nil) {
            self.after = after
            self.number = number
            self.target = target
            self.processes = processes
            self.isCaught = isCaught
        }
    }

    public enum Target: String, Sendable, Codable {
        /// The training's own process. If that is a shell, the processes that the shell runs.
        case training
        /// The training and every process that it started.
        case tree
    }

    public init(asked: Date, startedAfter: Double) {
        self.asked = asked
        self.startedAfter = startedAfter
    }
}
