internal import Shared

/// The text of a first config, with a comment on each line that its user has to check.
struct ConfigDraft {
    let guess: ProjectGuess
    let provider: ProviderName
    /// The offers and volumes of the account; empty without a key.
    var kinds: [GPUKind] = []
    var volumes: [StoredVolume] = []

    /// Kinds that the comment names.
    private static let maxKinds = 6

    var text: String {
        let lines = head + code + training + (provider == .runpod ? rented : [])
        return lines.map { $0 + "\n" }.joined()
    }

    private var head: [String] {
        ["# Start it with: launch run config.yaml", "run: \(guess.run)"]
            + (provider == .local ? [] : ["provider: \(provider.rawValue)"])
    }

    private var code: [String] {
        let dependencies =
            guess.requirements.isEmpty
            ? ["# dependencies: {requirements: [requirements.txt]}"]
            : ["dependencies:", "  requirements: [\(guess.requirements.joined(separator: ", "))]"]
        return ["code: {path: .}  # this folder: what git tracks or does not ignore"] + dependencies
    }

    private var training: [String] {
        let script = guess.script ?? "train.py"
        let doubt = guess.script == nil ? "  # no script was found that trains" : ""
        let folder = guess.checkpoints ?? "checkpoints"
        let place =
            "checkpoints: {path: \(folder)}  # where the script saves, checkpoint-100 say; see launch checkpoints"
        guard let option = guess.resumeOption else {
            return [
                "command: python3 \(script)\(doubt)",
                "# Without an option to resume, a preempted training begins again. If the script has one:",
                "# command: python3 \(script) {resume}", "# resume: --resume {checkpoint}", "# \(place)",
            ]
        }
        return ["command: python3 \(script) {resume}\(doubt)", "resume: \(option) {checkpoint}", place]
    }

    private var rented: [String] {
        ["image: you/image:tag@sha256:…  # built with docker/Dockerfile: its command is pod-agent", "resources:"]
            + gpuLines + volumeLines + ["limits: {duration: 8h, cost: 20}  # US dollars for all attempts together"]
    }

    private var gpuLines: [String] {
        guard let first = kinds.first else { return ["  gpus: [L40S, RTX 4090]  # in this order; see launch gpus"] }
        let listed = kinds.prefix(Self.maxKinds).map { kind in
            "  #   \(kind.name), \(kind.memory.map { "\($0) GB, " } ?? "")\(kind.cloud): "
                + "\(kind.price.map(Dollars.text) ?? "?") an hour"
        }
        return ["  # free now, among others:"] + listed + [
            "  gpus: [\(first.name)]", "  spot: prefer  # cheaper; RunPod may take the pod away, and the run continues",
        ]
    }

    private var volumeLines: [String] {
        guard let first = volumes.first else {
            return [
                "  volume: {size: 50 GB}  # the pod's own disk; see launch volumes create for one that outlives pods"
            ]
        }
        let others = volumes.dropFirst().map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
        return [
            "  volume: {network: \(first.id)}  # \"\(first.name)\" in \(first.datacenter)"
                + (others.isEmpty ? "" : "; others: \(others)")
        ]
    }
}
