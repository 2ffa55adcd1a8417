internal import Shared

/// The environment of the training and of the commands before it. `inherited` holds no private variables of the agent.
enum ChildEnvironment {
    /// `stream` is the attempt's stream id: it marks the attempt's child processes for `Orphans`.
    static func setup(_ inherited: [String: String], stream: String) -> [String: String] {
        inherited.merging([Orphans.variable: stream]) { $1 }
    }

    /// The environment of the commands that install dependencies. `config` is the config's `env`.
    static func installer(
        _ inherited: [String: String], stream: String, config: [String: String]
    ) -> [String: String] {
        setup(inherited, stream: stream).merging(config) { $1 }
    }

    /// `processors` are those of the container's quota; nil if it has none.
    static func training(
        _ inherited: [String: String], stream: String, spec: RunSpec, python: PythonEnvironment?, checkpoint: String?,
        processors: Int? = CPUQuota.processors()
    ) -> [String: String] {
        var environment = setup(inherited, stream: stream)
        environment.merge(spec.env) { $1 }
        if let python { environment.merge(python.variables(over: environment)) { $1 } }
        environment.merge(TrainingDefaults.variables(over: environment, spec: spec, processors: processors)) { $1 }
        if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
        // Python prints its stacks when it crashes, or when the agent ends it because it is stalled.
        if environment["PYTHONFAULTHANDLER"] == nil { environment["PYTHONFAULTHANDLER"] = "1" }
        if spec.tty && environment["TERM"] == nil { environment["TERM"] = "xterm-256color" }
        environment["POD_AGENT_RESUME"] = checkpoint
        return environment
    }
}
