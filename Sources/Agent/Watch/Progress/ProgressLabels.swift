/// The words that trainers print beside numbers. A new trainer is one more entry.
enum ProgressLabels {
    /// The kinds of numbers, most trusted to be the training's step first.
    enum Kind: Int, Comparable, Sendable {
        /// A count of the optimizer's steps over all epochs.
        case globalStep
        /// A step or an iteration; it may begin again in each epoch.
        case step
        /// A progress bar that is not known to show anything else.
        case bar
        /// The number of a row: gradient boosting prints one per round.
        case row
        /// Steps of a simulated environment.
        case timesteps
        case epoch

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// The kind of a number behind these words.
    static let kinds: [String: Kind] = [
        "global step": .globalStep,  // Lightning, NeMo, Coqui
        "num updates": .globalStep,  // fairseq
        "step": .step,  // torchtitan, torchtune, OpenNMT, MaxText, lerobot, verl
        "steps": .step,  // DeepSpeed
        "completed step": .step,  // MaxText
        "optimizer step": .step,
        "optimization step": .step,
        "iter": .step,  // nanoGPT, detectron2, litgpt
        "iters": .step,
        "iteration": .step,  // Megatron, NeMo
        "learning iteration": .step,  // rsl_rl
        "update": .step,  // PPO implementations
        "progress on train": .step,  // levanter
        "total timesteps": .timesteps,  // Stable-Baselines3
        "timesteps": .timesteps,
        "num timesteps": .timesteps,
        "env steps": .timesteps,
        "epoch": .epoch,  // transformers, rl_games, RVC
    ]

    /// Words that may stand before a label and say nothing: the training's own part, a logger's level or name.
    static let fillers: Set<String> = [
        "train", "trainer", "training", "current", "at", "the", "info", "debug", "warning", "main", "root", "logger",
    ]

    /// Labels of a number in brackets, `Train: 3 [ 42/1000`: the fraction in them is the step of an epoch.
    static let bracketed: Set<String> = ["train", "training", "epoch", "train epoch", "batch"]

    /// Labels of the last step.
    static let totals: Set<String> = [
        "total optimization steps", "total steps", "total train steps", "total training steps", "num train steps",
        "num training steps", "max steps", "max iters", "max iterations", "train iters",
    ]

    /// Labels of the loss, the best one first.
    static let losses = [
        "loss", "train loss", "training loss", "lm loss", "total loss", "loss train", "reduced train loss",
        "avg loss", "avr loss", "mean loss", "train loss step", "step loss",
    ]

    /// Beginnings of words in front of a bar that does not show the training.
    static let nested = [
        "eval", "valid", "val", "test", "sanity", "predict", "infer", "generat", "sampl", "map", "filter", "tokeniz",
        "download", "upload", "load", "fetch", "sav", "encod", "prepar", "preprocess", "process", "cach", "scan",
        "extract",
        "flatten", "shard", "convert", "comput", "collat", "resolv", "writ", "read", "creat", "render", "class images",
    ]

    /// Units of a bar that does not show the training.
    static let nestedUnits: Set<String> = [
        "examples", "ex", "b", "ib", "kb", "mb", "gb", "kib", "mib", "gib", "file", "files", "tokens", "ba", "shards",
    ]

    /// The kind of the number behind `label`. nil if it is none of the training's progress.
    static func kind(of label: String) -> Kind? {
        if let kind = kinds[label] { return kind }
        var words = label.split(separator: " ")
        while let first = words.first, fillers.contains(String(first)) {
            words.removeFirst()
            if let kind = kinds[words.joined(separator: " ")] { return kind }
        }
        return nil
    }

    /// Whether `label` names something beside the training, such as an evaluation.
    static func isNested(_ label: String) -> Bool {
        let words = label.split(separator: " ")
        return nested.contains { known in
            known.contains(" ") ? label.contains(known) : words.contains { $0.hasPrefix(known) }
        }
    }
}
