#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The durable record of one attempt, `attempts/NNNN.json`. The state of a run is that of its last attempt.
public struct AttemptRecord: Sendable, Codable, Equatable {
    public var run: RunID
    public var number: Int
    public var pod: String
    public var launch: String
    public var lineage: String
    /// `RunSpec.fingerprint` of the attempt's spec.
    public var spec: String
    public var state: AttemptState
    /// Set as soon as it is decided: a training that must end is `interrupted` while it still runs.
    public var outcome: Outcome?
    public var phases: [Phase]
    /// The checkpoint from which the training had to resume.
    public var resumedFrom: CheckpointReference?
    /// Whether that checkpoint had a receipt.
    public var resumedProven: Bool?
    /// The checkpoints at the training's end.
    public var checkpoints: CheckpointCount?
    /// Offset of this attempt's first byte in the run's log.
    public var logStart: Int
    /// The last step that the training reported.
    public var step: Double?
    /// The step at which the training ends, and its loss, as far as it reported them.
    public var total: Double?
    public var loss: Double?
    /// Steps per second over the last minutes; nil if that is not known.
    public var pace: Double?
    /// How long the attempt has lasted by a monotonic clock, in seconds.
    public private(set) var seconds: Double?
    /// The pod's price; nil if it is unknown or the pod costs nothing.
    public var bill: Bill?
    /// The cost of the attempt so far, in US dollars.
    public private(set) var cost: Double?
    /// The time at which the next attempt begins, while this one is `waiting`.
    public var next: Date?
    /// The circumstances of an end that the user did not ask for.
    public var death: Death?
    /// Log lines about what the agent did to the user's files, processes and settings. nil if there are none.
    public private(set) var notes: [String]?

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
        logStart = claim.logStart
    }

    public mutating func enter(_ state: AttemptState, at now: Date) {
        self.state = state
        phases.append(Phase(state: state, began: now))
    }

    /// Sets how long the attempt has lasted by a monotonic clock, and its cost.
    public mutating func lasted(_ seconds: Double?) {
        self.seconds = seconds
        cost = bill?.cost(after: seconds ?? 0)
    }

    /// Adds a line to `notes`, which keep the newest 50. A full volume has room for all of them.
    public mutating func note(_ line: String) {
        notes = Array(((notes ?? []) + [line.shortened]).suffix(50))
    }

    public func began(_ state: AttemptState) -> Date? {
        phases.last { $0.state == state }?.began
    }
}
