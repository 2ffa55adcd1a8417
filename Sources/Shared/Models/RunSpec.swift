/// A resolved config: everything the agent needs to know of a run, and nothing secret.
///
/// `launch` makes it from `config.yaml` and the agent gets it as JSON in `POD_AGENT_SPEC`. It is kept on the volume and
/// shown in the log. Secrets, such as the URLs of `notify`, reach the agent in variables of their own.
@dynamicMemberLookup
public struct RunSpec: Sendable, Equatable {
    public var settings: RunSettings
    /// The marks of the project, with blanks between them. Two projects under one run's name would train in each
    /// other's work tree.
    public var project: String
    public var code: PackedCode?
    /// The volume's mount point in the pod; for `local` a folder of this machine.
    public var volume: String
    public var launch: LaunchOrder

    public init(_ settings: RunSettings, project: String, volume: String, launch: LaunchOrder) {
        self.settings = settings
        self.project = project
        self.volume = volume
        self.launch = launch
    }

    /// The settings are the spec's own fields for every reader, as in its JSON.
    public subscript<Value>(dynamicMember field: WritableKeyPath<RunSettings, Value>) -> Value {
        get { settings[keyPath: field] }
        set { settings[keyPath: field] = newValue }
    }

    /// Two specs are of the same project if they share one of these.
    public var projectMarks: Set<String> { Set(project.split(separator: " ").map(String.init)) }

    /// The shortest value that is masked, in bytes. Shorter values appear in a log by chance.
    public static let shortestSecret = 8

    /// Identifies what the run is: equal for two launches of the same config and code.
    ///
    /// Settings with their default value do not count, so that a new key of the config changes no fingerprint.
    public var fingerprint: String {
        get throws {
            var spec = self
            spec.launch = LaunchOrder(id: "")
            return SHA256Digest(of: try JSON.encode(JSONValue(encoding: spec).removing(RunSettings.defaults)))
                .description
        }
    }
}

extension RunSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case project
        case code
        case volume
        case launch
    }

    public init(from decoder: any Decoder) throws {
        settings = try JSONValue(from: decoder).adding(RunSettings.defaults).decode(RunSettings.self)
        let json = try decoder.container(keyedBy: CodingKeys.self)
        project = try json.decode(String.self, forKey: .project)
        code = try json.decodeIfPresent(PackedCode.self, forKey: .code)
        volume = try json.decode(String.self, forKey: .volume)
        launch = try json.decode(LaunchOrder.self, forKey: .launch)
    }

    public func encode(to encoder: any Encoder) throws {
        try settings.encode(to: encoder)
        var json = encoder.container(keyedBy: CodingKeys.self)
        try json.encode(project, forKey: .project)
        try json.encodeIfPresent(code, forKey: .code)
        try json.encode(volume, forKey: .volume)
        try json.encode(launch, forKey: .launch)
    }
}
