import Shared

@testable import Launcher

extension Config {
    /// Reads `yaml` as a config in the folder `/project` of a user whose home is `/home/me`.
    static func reading(
        _ yaml: some Sequence<UInt8>, environment: [String: String] = [:]
    ) throws(ConfigError) -> Config {
        let environment = environment.merging(["HOME": "/home/me", "X": "x", "API_KEY": "sk-123456789"]) { given, _ in
            given
        }
        return try Config(
            file: TextFile(bytes: Array(yaml), name: "config.yaml"),
            paths: Paths(folder: "/project", environment: environment), variables: Variables([environment]))
    }

    static func reading(_ yaml: String, environment: [String: String] = [:]) throws(ConfigError) -> Config {
        try reading(yaml.utf8, environment: environment)
    }

    /// Returns the error as `launch` would print it, nil if there is none.
    static func error(in yaml: some Sequence<UInt8>) -> String? {
        do throws(ConfigError) {
            _ = try reading(yaml)
            return nil
        } catch {
            return error.description
        }
    }
}
