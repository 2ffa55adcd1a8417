/// The layout of a volume. No other code knows its paths.
public struct Volume: Sendable, Equatable {
    public let root: String

    public init(root: String) { self.root = root }

    public func run(_ id: RunID) -> RunFolder { RunFolder(path: "\(root)/runs/\(id)") }

    /// The volume that holds `run`.
    public init(of run: RunFolder) { root = run.path.parentFolder.parentFolder }

    /// The runs that have a folder on the volume.
    public var runs: [RunID] { ((try? File.list("\(root)/runs")) ?? []).compactMap { RunID($0) } }

    /// A link to the live log of the newest run.
    public var currentLog: String { "\(root)/logs/current.log" }

    private var own: String { "\(root)/.pod-agent" }

    /// Python environments, and for each complete one a manifest, `KEY.json`. The key stands for all that went in.
    public var environments: String { "\(own)/envs" }

    /// The packages that the training of a run installs by itself, over the environment that runs share.
    public func layer(for run: RunID) -> String { "\(own)/layers/\(run)" }

    public var pipCache: String { "\(own)/cache/pip" }

    /// The path of packed code. Its name is its SHA-256.
    public func pack(_ code: PackedCode) -> String { "\(own)/cache/code/\(code.sha256).tar" }

    /// The folder for staging files of uploads that are not complete.
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

    /// The folder for temporary files of installers. The pod's own disk may be too small for them.
    public func temporary(for run: RunID) -> String { "\(own)/tmp/\(run)" }
}

/// The folder of one run on a volume.
public struct RunFolder: Sendable, Equatable {
    public let path: String

    /// The `RunSpec` of the newest launch.
    public var specFile: String { "\(path)/run.json" }

    /// The work tree of the code, shared by all attempts.
    public var work: String { "\(path)/work" }

    /// The `CodeManifest`: the files that the last pack brought into `work`.
    public var codeManifest: String { "\(path)/code.json" }

    /// The name of the Python environment that the run uses or builds.
    public var environmentFile: String { "\(path)/environment" }

    /// Results of the training whose place in `work` the code of `attempt` needed, by their paths in `work`.
    public func replaced(by attempt: Int) -> String { "\(path)/replaced/\(String(attempt, width: 4))" }

    public var attempts: String { "\(path)/attempts" }

    public var logs: String { "\(path)/logs" }

    /// The `Lineage` record: the checkpoints that existed when the lineage began. `id` is the launch that began it.
    public func lineagePath(_ id: String) -> String { "\(path)/lineages/\(id).json" }

    /// Which attempt saved which checkpoint, `SaveHistory`.
    public var saves: String { "\(path)/saves.json" }

    public var receipts: String { "\(path)/receipts" }

    /// The `Receipt` of a checkpoint, by its name.
    public func receiptPath(of checkpoint: String) -> String {
        "\(receipts)/\(checkpoint.replacing("%", with: "%25").replacing("/", with: "%2F")).json"
    }

    /// Checkpoints that are torn, or may be. No training finds them here.
    public var torn: String { "\(path)/torn" }

    /// Copies of proven checkpoints with fixed names.
    public var kept: String { "\(path)/kept" }

    /// Hard links to the newest proven numbered checkpoint, for trainers that delete it before they save the next.
    public var spare: String { "\(path)/kept/.spare" }

    /// The folder of checkpoints that are being deleted.
    public var pruned: String { "\(path)/pruned" }

    public func claimPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).claim" }

    public func beatPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).beat" }

    public func recordPath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).json" }

    /// A file that reserves space while an attempt runs, so that its end can be recorded on a full volume.
    public func reservePath(_ attempt: Int) -> String { "\(attempts)/\(String(attempt, width: 4)).reserve" }

    /// The plain log segment that `attempt` appends to. `offset` is the place of its first byte in the run's log.
    public func liveSegmentPath(from offset: Int, attempt: Int) -> String {
        "\(logs)/\(String(offset, width: 20))-a\(String(attempt, width: 4)).log"
    }

    /// The log segment that begins at `offset`, after it is sealed.
    public func sealedSegmentPath(from offset: Int) -> String { "\(logs)/\(String(offset, width: 20)).log.gz" }

    /// The `LogIndex` of a segment: the times at which the bytes of `attempt` arrived.
    public func logIndexPath(from offset: Int, attempt: Int) -> String {
        "\(logs)/\(String(offset, width: 20))-a\(String(attempt, width: 4)).index"
    }

    /// Every claim, in the order of the attempts. Empty if there is no such run. Throws if the folder has another
    /// format.
    public func claims() throws -> [Claim] {
        try claimNumbers().map { try readClaim(claimPath($0)) }
    }

    private func checkFormat(_ format: Int?) throws {
        let format = format ?? 1
        guard format == Claim.format else {
            throw Problem(
                "\"\(path)\" was written by \(format < Claim.format ? "an older" : "a newer") version of launch",
                hint: "give this run another \"run\" name, or move that folder away")
        }
    }

    private func readClaim(_ path: String) throws -> Claim {
        try checkFormat(try read(Format.self, path, limit: Self.smallFile).format)
        return try read(Claim.self, path, limit: Self.smallFile)
    }

    /// The claims that can be made sense of, in the order of the attempts.
    public func usableClaims() throws -> [Claim] { try claimNumbers().compactMap { try usableClaim($0) } }

    /// Returns a claim; nil if it is damaged or its number differs from its name. Throws if it has another format.
    public func usableClaim(_ number: Int) throws -> Claim? {
        let format = try readUsable(Format.self, claimPath(number), limit: Self.smallFile)
        if let format { try checkFormat(format.format) }
        return try wholeClaim(number)
    }

    /// Returns a claim of this format; nil for anything else.
    private func wholeClaim(_ number: Int) throws -> Claim? {
        let format = try readUsable(Format.self, claimPath(number), limit: Self.smallFile)
        let claim = try readUsable(Claim.self, claimPath(number), limit: Self.smallFile)
        guard let claim, (format?.format ?? 1) == Claim.format, claim.number == number, claim.logStart >= 0 else {
            return nil
        }
        return claim
    }

    /// The numbers that claims have taken, in order. Other names in the folder are no claims.
    public func claimNumbers() throws(Problem) -> [Int] {
        guard try File.exists(attempts) else { return [] }
        return try File.listFiles(attempts).compactMap { name in
            guard name.hasSuffix(".claim"), let number = Int(name.dropLast(6)), (1...Self.largestAttempt) ~= number,
                claimPath(number).lastComponent == name
            else { return nil }
            return number
        }
        .sorted()
    }

    /// Whether an attempt's owner has lost the run to the owner of a later one. A damaged claim owns nothing.
    public func isSuperseded(_ attempt: Int) throws -> Bool {
        try claimNumbers().reversed().prefix { $0 > attempt }.contains { try wholeClaim($0) != nil }
    }

    /// Returns the record of an attempt; nil if its agent died before it wrote one.
    public func readRecord(_ number: Int) throws -> AttemptRecord? {
        let path = recordPath(number)
        return try File.exists(path) ? try read(AttemptRecord.self, path, limit: Self.smallFile) : nil
    }

    /// As `readRecord`, but nil for a damaged record too: an attempt is not kept from its work by an earlier one's.
    public func usableRecord(_ number: Int) throws -> AttemptRecord? {
        try readUsable(AttemptRecord.self, recordPath(number), limit: Self.smallFile)
    }

    /// The only field that claims of all versions share. The first version did not have it.
    private struct Format: Decodable { var format: Int? }

    /// Returns every readable receipt, sorted by step. Receipts of fixed names come first, sorted by time.
    public func allReceipts() throws -> [Receipt] {
        guard try File.exists(receipts) else { return [] }
        return try File.listFiles(receipts).filter { $0.hasSuffix(".json") }
            .compactMap { name in
                // A receipt whose name is another one's, or leads elsewhere, proves nothing.
                let receipt = try readUsable(Receipt.self, "\(receipts)/\(name)", limit: Self.largeFile)
                guard let receipt, receipt.isConfined, receiptPath(of: receipt.name).lastComponent == name else {
                    return nil
                }
                return receipt
            }
            .sorted { ($0.step ?? -1, $0.modified, $0.name) < ($1.step ?? -1, $1.modified, $1.name) }
    }

    /// nil if there is no such run. Throws if the folder has another format.
    public func spec() throws -> RunSpec? {
        guard try File.exists(specFile) else { return nil }
        // The claims know the format.
        _ = try usableClaims()
        return try read(RunSpec.self, specFile, limit: Self.smallFile)
    }

    /// Moves what is no folder out of the places of the agent's own folders: through a link there the agent would write
    /// and delete elsewhere. Calls `moved` with the old and the new path.
    public func clearOwnFolders(moved: (String, String) -> Void) throws(Problem) {
        let own = [attempts, logs, receipts, torn, kept, pruned, "\(path)/lineages", "\(path)/replaced"]
        for folder in own {
            guard let status = File.status(folder), !status.isFolder else { continue }
            let target = "\(folder).lost-\([UInt8].random(count: 4).hexadecimal)"
            try File.move(folder, to: target)
            moved(folder, target)
        }
    }

    /// Bytes of a claim, a record or a spec, at most.
    private static let smallFile = 4 << 20
    /// Bytes of a list of files, at most: some 10^6 of them.
    public static let largeFile = 256 << 20
    /// Far above what a run has, far below where a sum overflows.
    private static let largestAttempt = 9_999_999

    /// nil if the file is not there, or is none of ours. Throws if it cannot be read.
    private func readUsable<Value: Decodable>(_ type: Value.Type, _ path: String, limit: Int) throws -> Value? {
        guard try File.exists(path) else { return nil }
        guard let status = File.status(path), status.isFile, status.size <= limit else { return nil }
        let bytes = try File.readRegular(path, limit: limit)
        return try? JSON.decode(type, from: bytes)
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ path: String, limit: Int) throws -> Value {
        do {
            return try JSON.decode(type, from: try File.readRegular(path, limit: limit))
        } catch let error as DecodingError {
            throw Problem("\"\(path)\" is damaged: \(error)", hint: "move it away and run again")
        }
    }
}

extension Receipt {
    /// Whether its names lead to nothing outside of the checkpoint folder.
    public var isConfined: Bool {
        name.isConfinedPath
            && files.allSatisfy { $0.name.isEmpty || $0.name.isConfinedPath || Self.isBeside($0.name) }
    }
}

extension Receipt {
    /// Whether the name is that of a file directly beside the checkpoint.
    private static func isBeside(_ name: String) -> Bool {
        guard name.hasPrefix("../") else { return false }
        let rest = String(name.dropFirst(3))
        return rest.isConfinedPath && !rest.contains("/")
    }
}

extension String {
    /// Whether it is a relative path that stays below the folder in which it begins.
    public var isConfinedPath: Bool {
        utf8.count <= 4096 && !utf8.contains(0)
            && split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !["", ".", ".."].contains($0) }
    }
}
