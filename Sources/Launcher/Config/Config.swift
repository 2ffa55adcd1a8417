internal import Shared

/// A config that was read and is valid: everything that `launch` knows of a run before it does anything.
@dynamicMemberLookup
struct Config: Sendable {
    /// The part that the agent gets too.
    var settings: RunSettings
    /// The project's name, by which its other folders and machines know it.
    var project: String?
    var image: String?
    var code: Code?
    /// The source of each secret, by the variable's name.
    var secrets: [String: SecretSource] = [:]
    var resources = Resources()
    /// The folder for TensorBoard.
    var tensorboard: String?
    /// URLs. The part after a URL's host may be secret.
    var notify: [String] = []
    var mirror: Mirror?

    /// The config's folder, absolute.
    var folder: String
    /// The config's name as the user wrote it.
    var file = ""
    /// The keys that the config contains.
    var keys: [GivenKey] = []
    /// Findings that do not stop the run.
    var warnings: [ConfigError] = []
    /// Values that must never be packed, shown, or written to a volume.
    var knownSecrets: [KnownSecret] = []

    /// Reads and checks the config at `path`, with its variable files. Changes nothing.
    static func load(path: String, environment: [String: String]) throws(ConfigError) -> Config {
        let file = try TextFile(path: path, name: path)
        let paths = try Paths(config: path, environment: environment)
        let code = try YAML(file: file).mapping().text(at: "code", "path").flatMap(paths.resolve)
        let files = VariableFiles.read(config: path, paths: paths, code: code, environment: environment)
        var config = try Config(file: file, paths: paths, variables: Variables([environment], files: files))
        config.warnings = files.flatMap(\.warnings) + config.warnings
        return config
    }

    init(file: TextFile, paths: Paths, variables: Variables) throws(ConfigError) {
        let mapping = try YAML(file: file).mapping()
        let reader = ConfigReader(file: file.name, variables: variables)
        let config = Section.read(mapping, reader: reader) { Config(reading: $0, paths: paths) }
        if let error = reader.firstError { throw error }
        guard var config else { throw ConfigError(file: file.name, message: "could not be read") }
        config.check(with: reader, paths: paths)
        if let error = reader.firstError ?? Support.firstMissing(in: reader) { throw error }
        config.warnings = reader.warnings
        config.knownSecrets = reader.knownSecrets.sorted { $0.name < $1.name }
        config.file = file.name
        config.keys = reader.given
        self = config
    }

    /// Returns an error about the key at `path`, with its place.
    func error(at path: String, _ message: String, hint: String? = nil) -> ConfigError {
        let place = keys.first { $0.path == path }?.place
        return ConfigError(file: file, place: place, key: path, message: message, hint: hint)
    }

    /// `resources.volume.path`: for `local` an absolute path of a folder of this machine.
    var volumePath: String? {
        if case .folder(let path) = resources.volume { path } else { nil }
    }

    subscript<Value>(dynamicMember field: KeyPath<RunSettings, Value>) -> Value { settings[keyPath: field] }

    /// The secrets whose values the pod gets in its environment, by the variable's name.
    var secretValues: [String: String] {
        secrets.compactMapValues { if case .value(let value) = $0 { value } else { nil } }
    }

    /// The spec for the agent. `volume` is the mount point in the pod; for `local` a folder of this machine.
    func spec(project: String, code: PackedCode?, volume: String, launch: LaunchOrder) -> RunSpec {
        var spec = RunSpec(settings, project: project, volume: volume, launch: launch)
        spec.code = code
        spec.onFinish = settings.onFinish ?? usualEnd
        return spec
    }

    /// The pod's end if the config has no `on_finish`. nil if the pod ends with its processes and that is all.
    private var usualEnd: OnFinish? {
        if case .network = resources.volume { return .terminate }
        return settings.provider.rules.defaultFinish
    }
}
