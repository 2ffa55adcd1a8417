/// Any value of JSON.
public enum JSONValue: Sendable, Equatable {
    case map([String: JSONValue])
    case list([JSONValue])
    case text(String)
    case truth(Bool)
    case whole(Int)
    case number(Double)
    case null

    /// The JSON that `value` is written as.
    public init(encoding value: some Encodable) throws {
        self = try JSON.decode(JSONValue.self, from: try JSON.encode(value))
    }

    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSON.decode(type, from: try JSON.encode(self))
    }

    /// Takes each member of `defaults` that is absent here, in maps within maps too.
    func adding(_ defaults: JSONValue) -> JSONValue {
        guard case .map(let members) = self, case .map(let others) = defaults else { return self }
        return .map(members.merging(others) { member, other in member.adding(other) })
    }

    /// Drops each member that is equal to that of `defaults`, in maps within maps too.
    func removing(_ defaults: JSONValue) -> JSONValue {
        guard case .map(let members) = self, case .map(let others) = defaults else { return self }
        let different = members.filter { others[$0.key] != $0.value }
        return .map(
            Dictionary(
                uniqueKeysWithValues: different.map { key, member in
                    (key, others[key].map(member.removing) ?? member)
                }))
    }

    func removing(_ keys: Set<String>) -> JSONValue {
        guard case .map(let members) = self else { return self }
        return .map(members.filter { !keys.contains($0.key) })
    }
}

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let members = try? container.decode([String: JSONValue].self) {
            self = .map(members)
        } else if let items = try? container.decode([JSONValue].self) {
            self = .list(items)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let whole = try? container.decode(Int.self) {
            self = .whole(whole)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .map(let members): try container.encode(members)
        case .list(let items): try container.encode(items)
        case .text(let text): try container.encode(text)
        case .truth(let truth): try container.encode(truth)
        case .whole(let whole): try container.encode(whole)
        case .number(let number): try container.encode(number)
        case .null: try container.encodeNil()
        }
    }
}
