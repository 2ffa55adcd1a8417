internal import Shared

/// Variables that a training gets unless the image, the user or the config sets them.
enum TrainingDefaults {
    /// Caches of downloads, and their folders on the volume: the next pod finds them.
    private static let downloads = [
        "HF_HOME": "huggingface", "TORCH_HOME": "torch", "KERAS_HOME": "keras", "TFHUB_CACHE_DIR": "tfhub",
        "TFDS_DATA_DIR": "tensorflow-datasets",
    ]
    /// Caches of compiled code: many small files, for this pod's GPU. A network volume is slow with these.
    private static let compiled = [
        "TRITON_CACHE_DIR": "triton", "TORCHINDUCTOR_CACHE_DIR": "inductor", "CUDA_CACHE_PATH": "cuda",
        "NUMBA_CACHE_DIR": "numba",
    ]

    /// Returns the variables that `set` lacks. `processors` are those of the container's quota; nil if it has none.
    static func variables(over set: [String: String], spec: RunSpec, processors: Int?) -> [String: String] {
        var defaults = spec.provider == .local ? [:] : caches(over: set, volume: Volume(root: spec.volume))
        if let processors {
            // Each GPU has a process of its own.
            let processes = set["RUNPOD_GPU_COUNT"].flatMap { Int($0) } ?? 1
            defaults["OMP_NUM_THREADS"] = "\(max(1, processors / max(1, processes)))"
        }
        return defaults.filter { set[$0.key] == nil }
    }

    /// On a rented pod all is gone with the container but the volume.
    private static func caches(over set: [String: String], volume: Volume) -> [String: String] {
        let home = set["HOME"] ?? "/root"
        let temporary = set["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        // The caches of a user who moves all of them lie there.
        var caches = set["XDG_CACHE_HOME"] == nil ? downloads.mapValues { volume.cache($0) } : [:]
        caches.merge(compiled.mapValues { "\(temporary)/pod-agent-cache/\($0)" }) { $1 }
        // A login writes its token there.
        for (name, file) in ["HF_TOKEN_PATH": "token", "HF_STORED_TOKENS_PATH": "stored_tokens"] {
            caches[name] = "\(home)/.cache/huggingface/\(file)"
        }
        return caches
    }
}
