internal import NIOHTTP1
internal import Shared

/// A request as the routes see it.
struct Request: Sendable {
    var method: String
    var path: String
    var query: [String: String]
    var headers: HTTPHeaders
    var body: RequestBody
    /// The part of the path that the route's pattern leaves open, percent-encoded as it came.
    var rest = ""

    init(_ head: HTTPRequestHead, body: RequestBody) {
        self.init(method: head.method.rawValue, target: head.uri, headers: head.headers, body: body)
    }

    init(method: String, target: String, headers: HTTPHeaders = [:], body: RequestBody = RequestBody()) {
        self.method = method
        self.headers = headers
        self.body = body
        path = Self.path(of: target)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
        }
    }

    /// The path of a request's target, which may be a whole URL, RFC 9112, section 3.2.2.
    static func path(of target: String) -> String {
        let path = target.prefix { $0 != "?" }
        guard path.hasPrefix("http://") else { return String(path) }
        let rest = path.dropFirst(7)
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    /// A whole number in the query; throws an `APIError` if it is something else.
    func number(_ name: String) throws(APIError) -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw APIError(.badRequest, "\"\(name)=\(text)\" is not a whole number")
        }
        return number
    }
}

struct Response: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// A stream of `length` bytes; nil if the length is unknown.
        case stream(length: Int?, @Sendable (ResponseWriter) async throws -> Void)
    }

    var status: Int
    var headers: [(String, String)]
    var body: Body

    init(status: Int = 200, headers: [(String, String)] = [], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    static func json(_ value: some Encodable, status: Int = 200) throws -> Response {
        Response(
            status: status, headers: [("Content-Type", "application/json")],
            body: .bytes(try JSON.encode(value, pretty: true) + [UInt8(ascii: "\n")]))
    }

    static func error(_ error: APIError, headers: [(String, String)] = []) -> Response {
        var response =
            (try? json(error, status: error.code.status)) ?? Response(status: error.code.status, body: .bytes([]))
        response.headers += headers
        return response
    }

    /// The value of `Content-Length`; nil if it is unknown.
    var length: Int? {
        switch body {
        case .bytes(let bytes): bytes.count
        case .stream(let length, _): length
        }
    }
}
