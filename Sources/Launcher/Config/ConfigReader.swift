internal import Shared

/// Collects errors, warnings and the given keys while a config is read.
final class ConfigReader {
    let file: String
    let variables: Variables
    private(set) var knownSecrets: [KnownSecret]
    /// Values that no error shows.
    private var hidden: Set<String>
    private var errors: [ConfigError] = []
    private var missing: [ConfigError] = []
    private(set) var warnings: [ConfigError] = []
    private(set) var given: [GivenKey] = []

    init(file: String, variables: Variables) {
        self.file = file
        self.variables = variables
        knownSecrets = variables.knownSecrets
        hidden = variables.hidden
    }

    func report(_ error: ConfigError) { errors.append(error) }

    /// Reports a key that is absent. An error about a misspelt key comes first: it may be the same key.
    func miss(_ error: ConfigError) { missing.append(error) }

    func warn(_ warning: ConfigError) { warnings.append(warning) }

    func note(_ key: GivenKey) { given.append(key) }

    /// Notes a variable that the config lists as a secret.
    func keepSecret(_ name: String) {
        guard let secret = variables.secret(name), secret.value.utf8.count >= RunSpec.shortestSecret else { return }
        hidden.insert(secret.value)
        if !knownSecrets.contains(where: { $0.value == secret.value }) { knownSecrets.append(secret) }
    }

    /// Notes that a value of the config contains the variable's. It is secret if its name says so, unless it is a path.
    func noteUse(of name: String) {
        guard KnownSecret.looksSecret(name), let value = variables[name], File.status(value) == nil else { return }
        keepSecret(name)
    }

    /// The first error in the order of the file, else the first missing key.
    var firstError: ConfigError? { errors.min { $0.precedes($1) } ?? missing.min { $0.precedes($1) } }

    /// Returns an error about the key at `path`, with its place.
    func error(at path: String, _ message: String, hint: String? = nil) -> ConfigError {
        let place = given.first { $0.path == path }?.place
        return ConfigError(file: file, place: place, key: path, message: message, hint: hint)
    }

    /// Quotes text of the config for an error: one line, at most 40 characters, no secret.
    func quoted(_ text: String) -> String {
        if hidden.contains(where: { text.contains($0) }) { return "the given text" }
        let line = text.prefix { !$0.isNewline }
        let start = String(line.prefix(40).map { $0.unicodeScalars.allSatisfy(\.isPrintable) ? $0 : "?" })
        return "\"\(start)\(start.count < text.count ? "…" : "")\""
    }
}

/// A key that the config contains.
struct GivenKey: Sendable {
    /// The path from the top, such as `limits.stall`.
    var path: String
    var place: Place
    /// The value with its variables expanded; nil if it is a list or a map.
    var text: String?
}
