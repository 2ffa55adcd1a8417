/// Identifies a run over all its attempts and pods: 1 to 40 of `a-z`, `0-9` and `-`, the first one not `-`.
///
/// The narrow alphabet makes it usable unchanged as a folder, in a pod's name and in a URL. A name that begins with `-`
/// would be an option of every command.
public struct RunID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    public init?(_ text: String) {
        let allowed = text.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d  // a-z, 0-9, -
        }
        guard allowed, (1...40).contains(text.utf8.count), !text.hasPrefix("-") else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// A name for places in which the name has no effect.
    public static let placeholder = RunID(unchecked: "placeholder")

    public var description: String { text }

    public static func < (left: RunID, right: RunID) -> Bool { left.text < right.text }
}

extension RunID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = RunID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not a run's name")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
