/// Keys and values of the config that `launch` does not support yet. A feature that works has no line here.
enum Support {
    private static let missing: [Missing] = [
        Missing("code.git"),
        Missing("code.ref"),
        Missing("dependencies.overrides"),
        Missing("dependencies.environment", unless: "venv"),
        Missing("dependencies.installer", unless: "auto", "pip"),
        Missing("dependencies.cache", unless: "true"),
        Missing("on_finish", unless: "stop", "terminate"),
        Missing("disk_full"),
        Missing("tensorboard"),
        Missing("mirror"),
    ]

    private struct Missing {
        var path: String
        /// Values that are supported, as text.
        var working: [String]

        init(_ path: String, unless working: String...) {
            self.path = path
            self.working = working
        }

        func refuses(_ key: GivenKey) -> Bool {
            key.path == path && !(key.text.map { working.contains($0) } ?? false)
        }
    }

    static func firstMissing(in reader: ConfigReader) -> ConfigError? {
        let refused = reader.given.compactMap { key in
            missing.first { $0.refuses(key) }.map { row -> ConfigError in
                let value = row.working.isEmpty ? nil : key.text
                let thing = value.map { "\(key.path): \($0)" } ?? key.path
                let hint = row.working.first.map { "remove it, or use \"\($0)\"" } ?? "remove it"
                return reader.error(at: key.path, "\"\(thing)\" is not supported yet", hint: hint)
            }
        }
        return refused.min { $0.precedes($1) }
    }
}
