internal import Shared

/// The environment of the training and of installers.
enum ChildEnvironment {
    /// Returns `inherited` without the agent's own variables and without the keys that can stop or buy pods.
    /// `stream` is the attempt's stream id: it marks the attempt's child processes for `Orphans`.
    static func clean(_ inherited: [String: String], stream: String) -> [String: String] {
        var environment = inherited.filter { name, _ in !name.hasPrefix("POD_AGENT_") && name != "RUNPOD_API_KEY" }
        environment[Orphans.variable] = stream
        return environment
    }

    static func training(
        _ inherited: [String: String], stream: String, spec: RunSpec, python: PythonEnvironment?, checkpoint: String?
    ) -> [String: String] {
        var environment = clean(inherited, stream: stream)
        if let python { environment.merge(python.variables(path: environment["PATH"])) { $1 } }
        environment.merge(spec.env) { $1 }
        if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
        // Python prints its stacks when it is ended after a stall, or crashes.
        if environment["PYTHONFAULTHANDLER"] == nil { environment["PYTHONFAULTHANDLER"] = "1" }
        if spec.tty && environment["TERM"] == nil { environment["TERM"] = "xterm-256color" }
        environment["POD_AGENT_RESUME"] = checkpoint
        return environment
    }
}
