internal import Shared

/// An error in a config with its place: `config.yaml:12:5: unknown key "comand"`, then a hint on a line of its own.
///
/// It shows the text of the file and never a variable's value, which may be a secret.
struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's name as the user wrote it.
    var file: String
    /// nil if the error concerns the whole file.
    var place: Place?
    /// The key's path, such as `limits.stall`.
    var key: String?
    var message: String
    var hint: String?

    var description: String { problem.description }

    /// The error as the console prints every problem.
    var problem: Problem { Problem("\(file)\(place.map { ":\($0)" } ?? ""): \(message)", hint: hint) }

    /// Whether `self` comes before `other` in the file. An error without a place comes last.
    func precedes(_ other: ConfigError) -> Bool {
        guard let place else { return false }
        return other.place.map { place < $0 } ?? true
    }
}

/// A place in a text file; both numbers count from 1.
struct Place: Sendable, Hashable, Comparable, CustomStringConvertible {
    static let start = Place(line: 1, column: 1)

    var line: Int
    /// Counted in Unicode scalars; nil if the place is the whole line.
    var column: Int?

    var description: String { column.map { "\(line):\($0)" } ?? "\(line)" }

    static func < (left: Place, right: Place) -> Bool {
        (left.line, left.column ?? 0) < (right.line, right.column ?? 0)
    }
}
