/// The `ETag` of a file: another one for each version, as far as size and time tell.
public struct EntityTag: Sendable, Equatable {
    public var size: Int
    /// Nanoseconds since 1970.
    public var modified: Int

    public init(size: Int, modified: Int) {
        self.size = size
        self.modified = modified
    }

    /// nil if `text` is not the tag of an agent's file.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].first == "\"", parts[1].last == "\"",
            let size = Int(parts[0].dropFirst(), radix: 16), let modified = Int(parts[1].dropLast(), radix: 16)
        else { return nil }
        self.init(size: size, modified: modified)
    }

    /// As the header has it.
    public var text: String { "\"\(String(size, radix: 16))-\(String(modified, radix: 16))\"" }
}

extension FileStatus {
    public var entityTag: EntityTag { EntityTag(size: size, modified: modified) }
}
