/// One row of the API's table: the requests that it takes, and how it answers them.
struct Route: Sendable {
    typealias Handler = @Sendable (Request) async throws -> Response

    /// The limit in bytes for a body that is read into memory.
    static let smallBody = 1 << 20

    /// `GET` takes `HEAD` too: the server then sends the head alone.
    let method: String
    let pattern: RoutePattern
    /// Whether the route needs no token.
    var isOpen = false
    /// The limit in bytes for a request's body.
    var bodyLimit = Self.smallBody
    let respond: Handler

    init(
        _ method: String, _ pattern: RoutePattern, isOpen: Bool = false, bodyLimit: Int = Self.smallBody,
        _ respond: @escaping Handler
    ) {
        self.method = method
        self.pattern = pattern
        self.isOpen = isOpen
        self.bodyLimit = bodyLimit
        self.respond = respond
    }

    /// All methods that the route takes.
    var methods: [String] { method == "GET" ? ["GET", "HEAD"] : [method] }
}

/// The paths of a route: one path, or a path and all below it, such as `/v1/files/*`.
struct RoutePattern: Sendable, ExpressibleByStringLiteral {
    private let path: Substring
    private let takesRest: Bool

    init(_ text: String) {
        takesRest = text.hasSuffix("/*")
        path = takesRest ? text.dropLast(2) : text[...]
    }

    init(stringLiteral text: String) { self.init(text) }

    /// The part of `path` that the pattern leaves open, without the slash before it; nil if the path does not match.
    func rest(of path: String) -> String? {
        if path == self.path { return "" }
        guard takesRest, path.hasPrefix(self.path + "/") else { return nil }
        return String(path.dropFirst(self.path.count + 1))
    }
}
