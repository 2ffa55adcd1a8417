#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Where an attempt is in its life. The order of the cases is the order of the life.
public enum AttemptState: String, Sendable, Codable, CaseIterable {
    case claiming
    case syncing
    case installing
    case resuming
    case training
    case finishing
    /// This attempt's training is over, and the next attempt follows after a pause.
    case waiting
    case ended
}

/// The durable state and record of one attempt, `attempts/NNNN.json`. The state of a run is that of its highest attempt.
public struct AttemptRecord: Sendable, Codable, Equatable {
    public var run: RunID
    public var number: Int
    public var pod: String
    public var launch: String
    public var lineage: String
    /// `RunSpec.fingerprint` of what was asked for.
    public var spec: String
    public var state: AttemptState
    /// Set as soon as it is decided: a training that was told to end is `interrupted` while it still runs.
    public var outcome: Outcome?
    public var phases: [Phase]
    /// The checkpoint that the training was told to resume from.
    public var resumedFrom: CheckpointReference?
    /// What was found at the training's end.
    public var checkpoints: CheckpointCount?
    /// Offset of this attempt's first byte in the run's log.
    public var logBegan: Int
    /// The last step that the training told of.
    public var step: Double?
    /// How long the attempt has lasted, on a monotonic clock.
    public private(set) var seconds: Double?
    /// What the pod costs; nil where that is not known, or nothing.
    public var bill: Bill?
    /// What the attempt has cost, in US dollars.
    public private(set) var cost: Double?
    /// When the next attempt begins, while this one is `waiting`.
    public var next: Date?
    /// What a person wants to see of an end that was not asked for.
    public var death: Death?

    public struct Phase: Sendable, Codable, Equatable {
        public var state: AttemptState
        public var began: Date

        public init(state: AttemptState, began: Date) {
            self.state = state
            self.began = began
        }
    }

    public init(claim: Claim, run: RunID, spec: String) {
        self.run = run
        number = claim.number
        pod = claim.pod
        launch = claim.launch
        lineage = claim.lineage
        self.spec = spec
        state = .claiming
        phases = [Phase(state: .claiming, began: claim.claimed)]
        logBegan = claim.logBegan
    }

    public mutating func enter(_ state: AttemptState, at now: Date) {
        self.state = state
        phases.append(Phase(state: state, began: now))
    }

    /// Notes that the attempt has lasted for `seconds` on a monotonic clock, and what that cost.
    public mutating func lasted(_ seconds: Double?) {
        self.seconds = seconds
        cost = bill?.cost(after: seconds ?? 0)
    }

    public func began(_ state: AttemptState) -> Date? {
        phases.last { $0.state == state }?.began
    }
}

/// An attempt's right to be the run's writer, `attempts/NNNN.claim`. Written once, never changed.
public struct Claim: Sendable, Codable, Equatable {
    public var number: Int
    public var pod: String
    public var launch: String
    /// Attempts of one lineage continue each other's checkpoints. Named by the launch that began it.
    public var lineage: String
    /// Offset of this attempt's first byte in the run's log.
    public var logBegan: Int
    /// Names the bytes that this attempt adds to the log.
    public var stream: String
    /// The agent's processes, `init` first. What they say counts where the pod is a process tree of one machine.
    public var processes: [ProcessIdentity]
    public var claimed: Date

    public init(
        number: Int, pod: String, launch: String, lineage: String, logBegan: Int, stream: String,
        processes: [ProcessIdentity], claimed: Date
    ) {
        self.number = number
        self.pod = pod
        self.launch = launch
        self.lineage = lineage
        self.logBegan = logBegan
        self.stream = stream
        self.processes = processes
        self.claimed = claimed
    }

    /// Whether the agent runs: true where any of its processes does, nil where that cannot be told from here.
    public var isAlive: Bool? {
        let answers = processes.map(\.isAlive)
        if answers.contains(true) { return true }
        return answers.isEmpty || answers.contains(nil) ? nil : false
    }
}

/// A heartbeat, `attempts/NNNN.beat`. That it changes is what says that the owner lives.
public struct Beat: Sendable, Codable, Equatable {
    public var count: Int
    public var at: Date
    /// How long the attempt has lasted, on a monotonic clock.
    public var seconds: Double
    /// The last step that the training told of.
    public var step: Double?

    public init(count: Int, at: Date, seconds: Double, step: Double?) {
        self.count = count
        self.at = at
        self.seconds = seconds
        self.step = step
    }
}

public struct CheckpointReference: Sendable, Codable, Equatable {
    /// The number in its name; nil where the name is a fixed one.
    public var step: Int?
    /// Absolute, in the pod.
    public var path: String
    /// When its last file was written, in nanoseconds since 1970; nil where that is not known.
    public var modified: Int?

    public init(step: Int?, path: String, modified: Int? = nil) {
        self.step = step
        self.path = path
        self.modified = modified
    }

    /// By the steps where both have one, else by time.
    public func isNewer(than other: CheckpointReference) -> Bool {
        if let step, let other = other.step { return step > other }
        return (modified ?? 0) > (other.modified ?? 0)
    }

    /// For a person: `step 1000`, or the fixed name.
    public var words: String { step.map { "step \($0)" } ?? path.lastComponent }
}

/// The checkpoints of a lineage.
public struct CheckpointCount: Sendable, Codable, Equatable {
    public var count: Int
    /// Whole or not.
    public var newest: CheckpointReference?
    /// The newest that is proven, or would be at a start.
    public var proven: CheckpointReference?

    public init(count: Int, newest: CheckpointReference?, proven: CheckpointReference? = nil) {
        self.count = count
        self.newest = newest
        self.proven = proven
    }
}
