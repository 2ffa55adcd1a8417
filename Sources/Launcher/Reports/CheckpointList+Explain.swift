internal import Shared

extension CheckpointList {
    /// A sentence for each checkpoint about its proof.
    var explanations: String {
        checkpoints.map { "\($0.path): \(Self.explanation(of: $0))\n" }.joined()
    }

    private static func explanation(of checkpoint: Checkpoint) -> String {
        guard let receipt = checkpoint.receipt else {
            return
                "not proven: it has no receipt, because nothing has shown yet that its save ended, or a file of it is "
                + "not whole (\"pod-agent verify\" checks that)"
        }
        if let difference = checkpoint.difference { return "not proven any more: \(difference)" }
        return "proven by attempt \(receipt.attempt): \(words(for: receipt.evidence))"
    }

    private static func words(for evidence: Receipt.Evidence) -> String {
        switch evidence {
        case .laterStep: "the training reported a later step, or began a later checkpoint"
        case .exit: "the training ended with exit code 0"
        case .sameFiles: "it has the same files as an earlier proven one"
        case .ownEnd: "it is one file that ends where its format says"
        case .lastFile: "it has the file that its trainer writes after all others"
        case .pointer: "a newer file or link beside it names it"
        case .ownExit: "the training caught SIGTERM, saved it and exited by itself"
        case .renamed: "the training wrote it under a temporary name and then renamed it"
        }
    }
}
