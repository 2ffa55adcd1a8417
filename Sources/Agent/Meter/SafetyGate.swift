internal import Shared

/// Checks that the newest checkpoint is proven and on the volume, so that the pod may be deleted.
struct SafetyGate: Sendable {
    static let noTime = "there was no time for it"

    static let timeout: Duration = .seconds(600)

    /// nil if the run has no checkpoints.
    let receipts: Receipts?
    /// Returns what the watch saw of the save of a checkpoint; nil if it saw none.
    var seen: @Sendable (CheckpointFolder.Candidate) -> Receipt.SeenSave? = { _ in nil }
    /// Returns the evidence that the save of a checkpoint without a receipt has ended; nil without any.
    let evidence: @Sendable (CheckpointFolder.Candidate) -> Receipt.Evidence?

    /// Returns why the pod must not be deleted; nil if it may. Stops waiting for the volume after `timeout`, or when
    /// `preempted` is fulfilled.
    func check(within timeout: Duration = Self.timeout, preempted: Promise<Void>) async -> String? {
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
        return await result.value(within: timeout) ?? "the volume did not answer within \(Int(timeout.inSeconds)) s"
    }

    /// Proves the newest checkpoint by what is on stable storage. Throws a problem if it cannot. Blocks as long as the
    /// volume does.
    private func prove() throws {
        guard let receipts, let newest = try receipts.checkpoints().first(where: { !$0.files.isEmpty }) else { return }
        let path = receipts.folder.path(of: newest)
        let sums = FileSums(bypassesCache: true)
        let known = try receipts.all()
        if let receipt = known[newest.name], try receipts.difference(newest, from: receipt, hashing: false) == nil {
            try receipts.sync(newest)
            if let difference = try receipts.difference(newest, from: receipt, hashing: true, with: sums) {
                throw Problem("\(path): \(difference)")
            }
            return
        }
        let proof = try receipts.examine(newest)
        if let finding = proof.findings.first(where: { $0.weight != .remark }) { throw Problem("\(path): \(finding)") }
        let ofFiles = receipts.evidence(of: newest, like: known.values, openEnded: proof.openEnded)
        guard let evidence = evidence(newest) ?? ofFiles else {
            throw Problem("nothing tells that the save of \(path) had ended")
        }
        try receipts.write(try receipts.prove(newest, by: evidence, seen: seen(newest), with: sums))
        // A checkpoint too many does no harm.
        try? receipts.prune()
    }
}
