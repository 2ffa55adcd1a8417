internal import Shared

/// Everything that decides what an environment holds. Each part has a name, so that the log can say which one changed.
struct EnvironmentKey: Sendable, Equatable {
    struct Part: Sendable, Codable, Equatable {
        /// In the words of the log, such as `requirements.txt`.
        var name: String
        /// The SHA-256 of the part's text.
        var digest: String
        /// Whether the part is content of the run's own folders. Such a state hardly ever comes back.
        var isOwn: Bool?
    }

    private(set) var parts: [Part] = []

    mutating func add(_ name: String, _ text: String, isOwn: Bool = false) {
        parts.append(Part(name: name, digest: SHA256Digest(of: text).description, isOwn: isOwn ? true : nil))
    }

    /// The key in hexadecimal. It names the environment.
    var name: String {
        let text = parts.map { "\($0.name)\n\($0.digest)\n" }.joined()
        return String(SHA256Digest(of: text).description.prefix(32))
    }

    /// Returns the parts that differ from those of an earlier key.
    func changes(since earlier: [Part]) -> [Part] {
        let gone = earlier.filter { old in !parts.contains { $0.name == old.name } }
        return parts.filter { !earlier.contains($0) } + gone
    }
}
