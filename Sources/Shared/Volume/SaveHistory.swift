/// Which attempt saved which checkpoint, `saves.json` of a run. Clocks of two pods may differ, so their times alone do
/// not say which checkpoint is newer.
public struct SaveHistory: Sendable, Codable, Equatable {
    /// Distinguishes a save from another one under the same name.
    private struct Save: Codable, Equatable {
        var attempt: Int
        var modified: Int
        var size: Int
        var files: Int

        init(_ candidate: CheckpointFolder.Candidate, by attempt: Int) {
            self.attempt = attempt
            modified = candidate.modified
            size = candidate.files.values.reduce(0) { $0 + $1.size }
            files = candidate.files.count
        }
    }

    /// The last attempt that began to train. It saved all that the history does not know.
    public private(set) var attempt: Int
    private var saves: [String: Save] = [:]
    /// Kinds of evidence that were wrong once, so that this run's checkpoints are not proven by them any more.
    public private(set) var distrusted: Set<Receipt.Evidence> = []

    public init(attempt: Int) { self.attempt = attempt }

    /// Returns the history of a run; nil if it has none.
    public static func load(_ run: RunFolder) throws -> SaveHistory? {
        guard try File.exists(run.saves) else { return nil }
        // A history that cannot be read is none: receipts and times still order the checkpoints.
        return try? JSON.decode(SaveHistory.self, from: try File.readRegular(run.saves, limit: RunFolder.largeFile))
    }

    /// Returns the attempt that saved a checkpoint that has no valid receipt.
    public func attempt(of candidate: CheckpointFolder.Candidate) -> Int {
        guard let save = saves[candidate.name], save == Save(candidate, by: save.attempt) else { return attempt }
        return save.attempt
    }

    /// Notes that `attempt` begins to train, and which attempts saved what it found.
    public mutating func begin(_ attempt: Int, found: [CheckpointFolder.Candidate]) {
        self.attempt = attempt
        saves = Dictionary(found.map { ($0.name, Save($0, by: $0.attempt ?? attempt)) }) { first, _ in first }
    }

    /// Notes that evidence of this kind was wrong.
    public mutating func distrust(_ evidence: Receipt.Evidence) { distrusted.insert(evidence) }
}
