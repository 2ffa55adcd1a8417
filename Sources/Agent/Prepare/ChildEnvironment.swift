internal import Shared

/// The environment of the training and of installers.
enum ChildEnvironment {
    /// `inherited` without what is the agent's own: its variables, and the keys that can stop or buy pods.
    /// `stream` is the attempt's, by which its children are known when it is dead.
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
        // Python tells where it is when it is ended for standing still, or crashes.
        if environment["PYTHONFAULTHANDLER"] == nil { environment["PYTHONFAULTHANDLER"] = "1" }
        if spec.tty && environment["TERM"] == nil { environment["TERM"] = "xterm-256color" }
        environment["POD_AGENT_RESUME"] = checkpoint
        return environment
    }
}
