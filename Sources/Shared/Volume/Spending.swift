/// What attempts have used up together.
public struct Spending: Sendable, Equatable {
    /// How long they lasted, on a monotonic clock.
    public var seconds = 0.0
    /// US dollars; nil where none of them had a price.
    public var cost: Double?

    public init(seconds: Double = 0, cost: Double? = nil) {
        self.seconds = seconds
        self.cost = cost
    }
}

extension RunFolder {
    /// What the attempts of `claims` have used up: each until its end, until its last beat where there is no end.
    public func spending(of claims: some Sequence<Claim>) throws -> Spending {
        try claims.reduce(into: Spending()) { sum, claim in
            let beat = readBeat(claim.number)?.seconds
            guard var record = try readRecord(claim.number) else {
                sum.seconds += beat ?? 0
                return
            }
            if !record.isOver { record.lasted(until: beat) }
            sum.seconds += record.seconds ?? 0
            if let cost = record.cost { sum.cost = (sum.cost ?? 0) + cost }
        }
    }

    /// The newest beat of an attempt; nil where there is none, or one that a full volume cut off.
    public func readBeat(_ attempt: Int) -> Beat? {
        guard let bytes = try? File.read(beatPath(attempt)) else { return nil }
        return try? JSON.decode(Beat.self, from: bytes)
    }
}

extension AttemptRecord {
    /// Whether nothing more is used up.
    public var isOver: Bool { state == .waiting || state == .ended }

    /// Notes that it lasted until its last beat, at `seconds`, if that is later than what it says itself.
    public mutating func lasted(until beat: Double?) {
        lasted([seconds, beat].compactMap(\.self).max())
    }
}
