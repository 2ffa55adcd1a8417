internal import Shared

/// The components of a path below a volume's root, as a request names it. No component is empty or leads up.
struct VolumePath: Sendable, Equatable {
    /// Components are bytes, because a file's name need not be UTF-8.
    let components: [[UInt8]]

    /// The largest length of a path in bytes, PATH_MAX.
    static let maxLength = 4096
    /// The largest length of a component in bytes, NAME_MAX.
    static let maxNameLength = 255

    init(_ components: [[UInt8]]) { self.components = components }

    /// Parses `text`; the empty text is the root. Throws `.forbidden` for a path that leads out, `.badRequest` for a
    /// malformed one.
    init(percentEncoded text: String) throws(APIError) {
        guard text.utf8.count <= 3 * Self.maxLength else { throw Self.refusal("too long") }
        var components: [[UInt8]] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: false) where !text.isEmpty {
            guard let name = part.percentDecoded else { throw Self.refusal("not percent-encoded") }
            if name == Array("..".utf8) || (name.isEmpty && components.isEmpty) || name.first == UInt8(ascii: "/") {
                throw APIError(.forbidden, "a path outside of the volume", hint: "paths are relative to its root")
            }
            if name.isEmpty || name == Array(".".utf8) { throw Self.refusal("with an empty component") }
            if name.contains(0) || name.contains(UInt8(ascii: "/")) { throw Self.refusal("with a zero or slash byte") }
            if name.count > Self.maxNameLength { throw Self.refusal("too long") }
            components.append(name)
        }
        self.components = components
        guard components.reduce(0, { $0 + $1.count + 1 }) <= Self.maxLength else { throw Self.refusal("too long") }
    }

    /// The path as text, for errors and names.
    var text: String { components.map(\.text).joined(separator: "/") }

    private static func refusal(_ how: String) -> APIError { APIError(.badRequest, "a path \(how)") }
}
