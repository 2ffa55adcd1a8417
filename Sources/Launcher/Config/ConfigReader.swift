internal import Shared

/// What is learnt while a config is read: what is wrong, what is only odd, and which keys are given.
final class ConfigReader {
    let file: String
    let variables: Variables
    private(set) var knownSecrets: Set<String>
    private var errors: [ConfigError] = []
    private var missing: [ConfigError] = []
    private(set) var warnings: [ConfigError] = []
    private(set) var given: [GivenKey] = []

    init(file: String, variables: Variables) {
        self.file = file
        self.variables = variables
        self.knownSecrets = variables.knownSecrets
    }

    func report(_ error: ConfigError) { errors.append(error) }

    /// For a key that is not there: it may be there under a misspelt name, which is the better error.
    func miss(_ error: ConfigError) { missing.append(error) }

    func warn(_ warning: ConfigError) { warnings.append(warning) }

    func note(_ key: GivenKey) { given.append(key) }

    /// A value that the config calls a secret, whatever its variable's name looks like.
    func keepSecret(_ value: String) {
        if value.utf8.count >= RunSpec.shortestSecret { knownSecrets.insert(value) }
    }

    /// The first error in the file's order, else the first thing missing.
    var firstError: ConfigError? { errors.min { $0.precedes($1) } ?? missing.min { $0.precedes($1) } }

    /// A sentence about the key at `path`, with its place.
    func error(at path: String, _ message: String, hint: String? = nil) -> ConfigError {
        let place = given.first { $0.path == path }?.place
        return ConfigError(file: file, place: place, key: path, message: message, hint: hint)
    }

    /// The config's own text as an error may show it: in quotes, on one line, short, and without anything secret.
    func quoted(_ text: String) -> String {
        if knownSecrets.contains(where: { text.contains($0) }) { return "the given text" }
        let line = text.prefix { !$0.isNewline }
        let start = String(line.prefix(40).map { $0.unicodeScalars.allSatisfy(\.isPrintable) ? $0 : "?" })
        return "\"\(start)\(start.count < text.count ? "…" : "")\""
    }
}

/// A key that the config has.
struct GivenKey {
    /// From the top, such as `limits.stall`.
    var path: String
    var place: Place
    /// Variables expanded; nil where it is a list or a map.
    var text: String?
}
