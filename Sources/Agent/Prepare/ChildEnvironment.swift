internal import Shared

/// The environment of the training and of installers.
enum ChildEnvironment {
    /// `inherited` without what is the agent's own: its variables, and the keys that can stop or buy pods.
    static func clean(_ inherited: [String: String]) -> [String: String] {
        inherited.filter { name, _ in !name.hasPrefix("POD_AGENT_") && name != "RUNPOD_API_KEY" }
    }

    static func training(
        _ inherited: [String: String], spec: RunSpec, python: PythonEnvironment?, checkpoint: String?
    ) -> [String: String] {
        var environment = clean(inherited)
        if let python { environment.merge(python.variables(path: environment["PATH"])) { $1 } }
        environment.merge(spec.env) { $1 }
        if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
        environment["POD_AGENT_RESUME"] = checkpoint
        return environment
    }
}
