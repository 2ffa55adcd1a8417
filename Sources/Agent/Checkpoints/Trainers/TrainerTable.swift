/// Facts about the checkpoints of known trainers. To teach the agent another trainer, add a row.
enum TrainerTable {
    /// A kind of checkpoint folder.
    struct Layout: Sendable {
        /// The trainer or library that writes it, for messages.
        var trainer: String
        /// Patterns as in fnmatch(3). A folder in which each of them has a file is of this kind.
        var markers: [String]
        /// The pattern of the folder's own name; nil for any.
        var folder: String?
        /// The file that the trainer writes after all others.
        var last: String
        /// The last file is missing only from a save that did not end.
        var isLastRequired = true
        /// The trainer brings its files to stable storage before it writes the last one, so that the last one proves
        /// them even after a power loss.
        var syncsFiles = false
    }

    static let layouts = [
        Layout(
            trainer: "the Trainer of transformers", markers: ["training_args.bin"], folder: "checkpoint-[0-9]*",
            last: "trainer_state.json"),
        Layout(
            trainer: "the Trainer of transformers", markers: ["training_args.bin", "optimizer.pt"],
            last: "trainer_state.json"),
        Layout(
            trainer: "the Trainer of transformers", markers: ["trainer_state.json"], folder: "checkpoint-[0-9]*",
            last: "trainer_state.json", isLastRequired: false),
        Layout(
            trainer: "torch.distributed.checkpoint", markers: ["__*_*.distcp"], last: ".metadata", syncsFiles: true),
        Layout(
            trainer: "Orbax", markers: ["_METADATA"], last: "_CHECKPOINT_METADATA", isLastRequired: false,
            syncsFiles: true),
    ]

    /// Names of files inside a checkpoint that say that its save has not ended.
    static let marksInside = [
        "checkpoint-is-incomplete.txt", "*.orbax-checkpoint-tmp*", "*-unfinished", ".incomplete", "_INCOMPLETE",
    ]

    /// Endings of an entry beside a checkpoint, after the checkpoint's own name, that say that its save has not ended.
    static let marksBeside = ["-unfinished", ".unfinished", ".incomplete", ".inprogress"]

    /// Files and links beside checkpoints that name the newest one, by their names as in fnmatch(3).
    static let pointers = [
        "latest", "latest.*", "latest-*", "last", "last.*", "last_checkpoint", "latest_checkpointed_iteration.txt",
        "latest_checkpoint*", "checkpoint", "checkpoint.txt", "LATEST",
    ]
}
