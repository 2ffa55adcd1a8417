#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The changes of an attempt's record, an event `change` of `GET /v1/events`.
///
/// A field that is not nil has a new value. The fields are named as in the record.
public struct AttemptChange: Sendable, Codable, Equatable {
    public var attempt: Int
    public var at: Date
    public var state: AttemptState?
    public var outcome: Outcome?
    public var resumedFrom: CheckpointReference?
    public var checkpoints: CheckpointCount?
    public var step: Double?
    public var next: Date?

    /// nil if nothing differs that a user would care about. Without `old` every field counts as new.
    public init?(from old: AttemptRecord?, to new: AttemptRecord, at: Date) {
        attempt = new.number
        self.at = at
        func changed<Value: Equatable>(_ field: (AttemptRecord) -> Value?) -> Value? {
            let value = field(new)
            return value == old.flatMap(field) ? nil : value
        }
        state = changed { $0.state }
        outcome = changed(\.outcome)
        resumedFrom = changed(\.resumedFrom)
        checkpoints = changed(\.checkpoints)
        step = changed(\.step)
        next = changed(\.next)
        guard state != nil || outcome != nil || resumedFrom != nil || checkpoints != nil || step != nil || next != nil
        else { return nil }
    }

    /// Whether only the step changed.
    public var isStepAlone: Bool {
        step != nil && state == nil && outcome == nil && resumedFrom == nil && checkpoints == nil && next == nil
    }
}
