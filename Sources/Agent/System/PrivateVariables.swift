/// Variables that only the agent may have. No child gets them, and they leave the memory that a training can read.
enum PrivateVariables {
    /// Keys that can stop or buy pods.
    static let keys: Set<String> = ["RUNPOD_API_KEY"]

    /// Whether `variable` is the agent's own or one of `keys`.
    static func contains(_ variable: String, keys: Set<String> = keys) -> Bool {
        variable.hasPrefix("POD_AGENT_") || keys.contains(variable)
    }
}
