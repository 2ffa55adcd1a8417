internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

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

    /// Every value that is not a map, by the path of its keys such as `limits.duration`.
    private static func leaves(of spec: RunSpec) throws -> [String: String] {
        var found: [String: String] = [:]
        func visit(_ value: Value, _ path: String) throws {
            switch value {
            case .map(let members):
                for (key, member) in members { try visit(member, path.isEmpty ? key : "\(path).\(key)") }
            case .leaf(let text):
                found[path] = text
            }
        }
        try visit(try JSON.decode(Value.self, from: try JSON.encode(spec)), "")
        return found
    }

    private enum Value: Decodable {
        case map([String: Value])
        case leaf(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let members = try? container.decode([String: Value].self) {
                self = .map(members)
            } else if let list = try? container.decode([String].self) {
                self = .leaf(try JSON.text(list))
            } else if let text = try? container.decode(String.self) {
                self = .leaf(try JSON.text(text))
            } else if let flag = try? container.decode(Bool.self) {
                self = .leaf("\(flag)")
            } else {
                let number = try container.decode(Double.self)
                self = .leaf(Int(exactly: number).map { "\($0)" } ?? "\(number)")
            }
        }
    }
}
