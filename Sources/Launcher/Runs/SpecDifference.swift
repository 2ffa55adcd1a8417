internal import Shared

/// The differences between two specs, one line each, for a person.
enum SpecDifference {
    static func lines(from old: RunSpec, to new: RunSpec) throws -> [String] {
        var (old, new) = (old, new)
        old.launch = LaunchOrder(id: "")
        new.launch = LaunchOrder(id: "")
        let (before, after) = (try leaves(of: old), try leaves(of: new))
        return Set(before.keys).union(after.keys).sorted().compactMap { key in
            guard before[key] != after[key] else { return nil }
            return "\(key): \(before[key] ?? "(not set)") → \(after[key] ?? "(not set)")"
        }
    }

    /// Every value that is not a map, by the path of its keys in the config, such as `limits.duration`.
    private static func leaves(of spec: RunSpec) throws -> [String: String] {
        var found: [String: String] = [:]
        func visit(_ value: JSONValue, _ path: [String]) throws {
            guard case .map(let members) = value else {
                found[path.joined(separator: ".")] = try JSON.text(value)
                return
            }
            for (key, member) in members { try visit(member, path + [path == ["env"] ? key : key.snakeCase]) }
        }
        try visit(try JSONValue(encoding: spec), [])
        return found
    }
}

extension String {
    /// `onFinish` becomes `on_finish`.
    fileprivate var snakeCase: String {
        reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }
}
