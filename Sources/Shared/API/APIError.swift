/// An error of the agent's API: `{"error":{"code","message","hint"}}` with an HTTP status.
public struct APIError: Error, Sendable, Equatable {
    public enum Code: String, Sendable, Codable, CaseIterable {
        case badRequest = "bad_request"
        case unauthorized
        case forbidden
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case conflict
        case gone
        case tooLarge = "too_large"
        case rangeNotSatisfiable = "range_not_satisfiable"
        case expectationFailed = "expectation_failed"
        case checksumMismatch = "checksum_mismatch"
        case `internal`
        case noSpace = "no_space"
        case unavailable

        public var status: Int {
            switch self {
            case .badRequest: 400
            case .unauthorized: 401
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .conflict: 409
            case .gone: 410
            case .tooLarge: 413
            case .rangeNotSatisfiable: 416
            case .expectationFailed: 417
            case .checksumMismatch: 422
            case .internal: 500
            case .unavailable: 503
            case .noSpace: 507
            }
        }
    }

    public var code: Code
    public var message: String
    public var hint: String?

    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Whether the same request may succeed a little later.
    public var isPassing: Bool { code == .unavailable || code == .internal }
}

extension APIError: Codable {
    private enum CodingKeys: String, CodingKey {
        case error
    }

    private struct Body: Codable {
        var code: Code
        var message: String
        var hint: String?
    }

    public init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: CodingKeys.self).decode(Body.self, forKey: .error)
        self.init(body.code, body.message, hint: body.hint)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Body(code: code, message: message, hint: hint), forKey: .error)
    }
}
