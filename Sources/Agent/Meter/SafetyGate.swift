internal import Shared

/// What has to hold before a pod may be deleted: that nothing of the run goes with it.
struct SafetyGate: Sendable {
    static let noTime = "there was no time for it"

    static let patience: Duration = .seconds(600)

    /// nil where the run names no checkpoints.
    let receipts: Receipts?
    /// What was seen of the save of a checkpoint.
    var seen: @Sendable (CheckpointFolder.Candidate) -> Receipt.SeenSave? = { _ in nil }
    /// What tells that the save of a checkpoint without a receipt has ended.
    let evidence: @Sendable (CheckpointFolder.Candidate) -> Receipt.Evidence?

    /// Returns nil where it lets all pass, else why not. A volume that does not answer within `patience` is left behind, and
    /// so it is once `preempted` is fulfilled: then there is no time left.
    func check(within patience: Duration = Self.patience, preempted: Promise<Void>) async -> String? {
        let result = Promise<String?>()
        Task {
            do {
                try await DedicatedThread.run { try prove() }
                result.fulfil(nil)
            } catch {
                result.fulfil("\(error)")
            }
        }
        Task {
            await preempted.value
            result.fulfil(Self.noTime)
        }
        return await result.value(within: patience) ?? "the volume did not answer within \(Int(patience.inSeconds)) s"
    }

    /// Proves the newest checkpoint from what is on stable storage. Blocks as long as its volume does.
    private func prove() throws {
        guard let receipts, let newest = try receipts.checkpoints().first(where: { !$0.files.isEmpty }) else { return }
        let path = receipts.folder.path(of: newest)
        let sums = FileSums(bypassesCache: true)
        let known = try receipts.all()
        if let receipt = known[newest.name], try receipts.difference(newest, from: receipt, hashing: false) == nil {
            try receipts.sync(path)
            if let difference = try receipts.difference(newest, from: receipt, hashing: true, with: sums) {
                throw Problem("\(path): \(difference)")
            }
            return
        }
        let proof = try CheckpointProof.examine(path)
        if let finding = proof.findings.first(where: { $0.weight != .remark }) { throw Problem("\(path): \(finding)") }
        let ofFiles = receipts.evidence(of: newest, like: known.values, openEnded: proof.openEnded)
        guard let evidence = evidence(newest) ?? ofFiles else {
            throw Problem("nothing tells that the save of \(path) had ended")
        }
        try receipts.write(try receipts.prove(newest, by: evidence, seen: seen(newest), with: sums))
        // What is kept too much is no danger.
        try? receipts.prune()
    }
}
