/// The time and money that several attempts took together.
public struct Spending: Sendable, Equatable {
    /// Their duration by a monotonic clock, in seconds.
    public var seconds = 0.0
    /// US dollars; nil if no attempt had a price.
    public var cost: Double?

    public init(seconds: Double = 0, cost: Double? = nil) {
        self.seconds = seconds
        self.cost = cost
    }
}

extension RunFolder {
    /// Returns the spending of the attempts of `claims`. An attempt without an end counts until its last beat.
    public func spending(of claims: some Sequence<Claim>) throws -> Spending {
        try claims.reduce(into: Spending()) { sum, claim in
            let beat = readBeat(claim.number)?.seconds
            guard var record = try usableRecord(claim.number) else {
                sum.seconds += beat ?? 0
                return
            }
            if !record.isOver { record.lasted(until: beat) }
            sum.seconds += record.seconds ?? 0
            if let cost = record.cost { sum.cost = (sum.cost ?? 0) + cost }
        }
    }

    /// Returns the newest beat of an attempt; nil if there is none, or if a full volume cut it off.
    public func readBeat(_ attempt: Int) -> Beat? {
        guard let bytes = try? File.readRegular(beatPath(attempt), limit: 64 << 10) else { return nil }
        return try? JSON.decode(Beat.self, from: bytes)
    }
}

extension AttemptRecord {
    /// Whether the attempt takes no more time.
    public var isOver: Bool { state == .waiting || state == .ended }

    /// Extends the attempt's duration to its last beat if the record is older.
    public mutating func lasted(until beat: Double?) {
        lasted([seconds, beat].compactMap(\.self).max())
    }
}
