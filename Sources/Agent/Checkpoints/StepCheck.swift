internal import Shared

/// Compares the numbers in checkpoints' names with the steps that the training had reported when it saved them.
enum StepCheck {
    /// Returns the step that the name of `checkpoint` says; nil if the number counts something slower, such as saves or
    /// epochs. `reported` is the step at its save, and `earlier` are receipts of the same attempt.
    static func step(
        of checkpoint: CheckpointFolder.Candidate, reported: Double?, earlier: some Collection<Receipt>
    ) -> Int? {
        guard let number = checkpoint.step, let reported else { return checkpoint.step }
        for receipt in earlier where !receipt.hasFixedName {
            guard let before = receipt.stepAtSave, let earlierNumber = CheckpointFolder.step(in: receipt.name),
                reported > before, number > earlierNumber
            else { continue }
            if Double(number - earlierNumber) * slowdown < reported - before { return nil }
        }
        return number < firstSteps && reported > Double(number) * slowdown + margin ? nil : number
    }

    /// A step may be read late, but not by such a factor over two saves.
    private static let slowdown = 4.0
    /// Without an earlier save only a small number is doubted: a step that is read late differs by a constant.
    private static let firstSteps = 10
    private static let margin = 30.0
}
