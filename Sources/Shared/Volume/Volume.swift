/// The layout of a volume: the one place that knows its names.
public struct Volume: Sendable, Equatable {
    public let root: String

    public init(root: String) { self.root = root }

    public func run(_ id: RunID) -> RunFolder { RunFolder(path: "\(root)/runs/\(id)") }

    /// The volume that holds `run`.
    public init(of run: RunFolder) { root = run.path.parentFolder.parentFolder }

    /// The runs that have a folder here.
    public var runs: [RunID] { ((try? File.list("\(root)/runs")) ?? []).compactMap { RunID($0) } }

    /// A link to the newest run's live log.
    public var currentLog: String { "\(root)/logs/current.log" }

    private var own: String { "\(root)/.pod-agent" }

    /// Python environments, each named by the fingerprint of what is in it.
    public var environments: String { "\(own)/envs" }

    public var pipCache: String { "\(own)/cache/pip" }

    /// Packed code, each named by its SHA-256.
    public func pack(_ code: PackedCode) -> String { "\(own)/cache/code/\(code.sha256).tar" }

    /// Staging files of uploads that are not complete.
    public var uploads: String { "\(own)/uploads" }

    /// Whether only the agent may write at a path below the root: its records, and the folders that hold them.
    public static func isAgentsOwn(_ path: [String]) -> Bool {
        switch path.first {
        case ".pod-agent", "logs": true
        // A run's work tree is its user's.
        case "runs": path.count < 4 || path[2] != "work"
        default: false
        }
    }

    /// For temporary files of installers: the pod's own disk may be too small for them.
    public func temporary(for run: RunID) -> String { "\(own)/tmp/\(run)" }
}

/// The folder of one run on a volume.
public struct RunFolder: Sendable, Equatable {
    public let path: String

    /// The `RunSpec` of the newest launch.
    public var specFile: String { "\(path)/run.json" }

    /// The work tree of the code, the same over all attempts.
    public var work: String { "\(path)/work" }

    /// What the last pack brought into `work`, `CodeManifest`.
    public var codeManifest: String { "\(path)/code.json" }

    /// Results of the training whose place in `work` the code of `attempt` needed, by their paths in `work`.
    public func replaced(by attempt: Int) -> String { "\(path)/replaced/\(String(attempt, width: 4))" }

    public var attempts: String { "\(path)/attempts" }

    public var logs: String { "\(path)/logs" }

    /// What a lineage found when it began, named by the launch that began it.
    public func lineagePath(_ id: String) -> String { "\(path)/lineages/\(id).json" }

    public var receipts: String { "\(path)/receipts" }

    /// The proof of the checkpoint by that name, `Receipt`.
    public func receiptPath(of checkpoint: String) -> String { "\(receipts)/\(checkpoint).json" }

    /// Checkpoints that are not whole, or not known to be, out of the way of any training.
    public var torn: String { "\(path)/torn" }

    /// Copies of proven checkpoints whose name is a fixed one.
    public var kept: String { "\(path)/kept" }

    /// Checkpoints on their way out.
    public var pruned: String { "\(path)/pruned" }

    public func claimPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).claim" }

    public func beatPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).beat" }

    public func recordPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).json" }

    /// Space that is set aside while an attempt runs, so that its end can be recorded on a full volume.
    public func reservePath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).reserve" }

    /// The plain segment that `attempt` appends to; `offset` is that of its first byte in the run's log.
    public func liveSegmentPath(from offset: Int, attempt: Int) -> String {
        "\(logs)/\(String(offset, width: 20))-a\(String(attempt, width: 4)).log"
    }

    /// The segment that begins at `offset` once it is sealed.
    public func sealedSegmentPath(from offset: Int) -> String { "\(logs)/\(String(offset, width: 20)).log.gz" }

    /// When the bytes of `attempt` came, `LogIndex`.
    public func logIndexPath(from offset: Int, attempt: Int) -> String {
        "\(logs)/\(String(offset, width: 20))-a\(String(attempt, width: 4)).index"
    }

    /// Every claim, in the order of the attempts. Empty where there is no such run.
    public func claims() throws -> [Claim] {
        guard try File.isThere(attempts) else { return [] }
        return try File.list(attempts).filter { $0.hasSuffix(".claim") }
            .map { try read(Claim.self, "\(attempts)/\($0)") }
            .sorted { $0.number < $1.number }
    }

    /// Whether an attempt's owner has lost the run to the owner of the next one.
    public func isSuperseded(_ attempt: Int) throws(Problem) -> Bool { try File.isThere(claimPath(attempt + 1)) }

    /// The record of an attempt; nil where it died before it wrote one.
    public func readRecord(_ number: Int) throws -> AttemptRecord? {
        let path = recordPath(number)
        return try File.isThere(path) ? try read(AttemptRecord.self, path) : nil
    }

    /// Every receipt that can be made sense of, in the order of the steps; those of fixed names first, in the order of time.
    public func allReceipts() throws -> [Receipt] {
        guard try File.isThere(receipts) else { return [] }
        return try File.list(receipts).filter { $0.hasSuffix(".json") }
            .map { try File.read("\(receipts)/\($0)") }
            .compactMap { try? JSON.decode(Receipt.self, from: $0) }
            .sorted { ($0.step ?? -1, $0.modified, $0.name) < ($1.step ?? -1, $1.modified, $1.name) }
    }

    /// nil where there is no such run.
    public func spec() throws -> RunSpec? {
        try File.isThere(specFile) ? try read(RunSpec.self, specFile) : nil
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        do {
            return try JSON.decode(type, from: try File.read(path))
        } catch let error as DecodingError {
            throw Problem("\"\(path)\" is damaged: \(error)", hint: "move it aside and run again")
        }
    }
}
