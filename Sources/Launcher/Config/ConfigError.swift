internal import Shared

/// What is wrong in a config, and where: `config.yaml:12:5: unknown key "comand"`, then a hint on a line of its own.
///
/// It shows text as the file has it, never what a variable stands for: that may be a secret.
struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// As the user named it.
    var file: String
    /// nil where the file as a whole is meant.
    var place: Place?
    /// The key's path, such as `limits.stall`.
    var key: String?
    var message: String
    var hint: String?

    var description: String { problem.description }

    /// The same for whoever reports problems of every kind.
    var problem: Problem { Problem("\(file)\(place.map { ":\($0)" } ?? ""): \(message)", hint: hint) }

    /// Whether `self` comes before `other` in the file. What has no place there comes last.
    func precedes(_ other: ConfigError) -> Bool {
        guard let place else { return false }
        return other.place.map { place < $0 } ?? true
    }
}

/// A place in a text file; both numbers count from 1.
struct Place: Sendable, Hashable, Comparable, CustomStringConvertible {
    static let start = Place(line: 1, column: 1)

    var line: Int
    /// In Unicode scalars; nil where the line as a whole is meant.
    var column: Int?

    var description: String { column.map { "\(line):\($0)" } ?? "\(line)" }

    static func < (left: Place, right: Place) -> Bool {
        (left.line, left.column ?? 0) < (right.line, right.column ?? 0)
    }
}
