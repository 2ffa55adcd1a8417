#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

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
    public var logStart: Int
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
        logStart = claim.logStart
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
