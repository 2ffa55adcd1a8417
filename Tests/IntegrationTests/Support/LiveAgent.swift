import HTTPClient
import Shared
import TestSupport
import Testing

/// An HTTP client of the API of a running agent.
struct LiveAgent {
    let address: String
    let token: String
    let transport = CurlTransport()

    /// Returns once the agent is ready. `endpoint` is the file with its address; nil: the default of `BareAgent`.
    init(
        _ agent: BareAgent, endpoint: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let path = endpoint ?? "\(agent.site.root)/endpoint"
        token = agent.token
        address = try await eventually("the endpoint", sourceLocation: sourceLocation) {
            try? File.read(path).text.trimmed
        }
        try await eventuallyTrue("a ready agent", sourceLocation: sourceLocation) {
            try await ask("GET", "/v1/health", token: nil).status == 200
        }
    }

    func ask(_ path: String) async throws -> HTTPResponse { try await ask("GET", path) }

    /// Sends a request. `token` of nil sends none.
    func ask(
        _ method: String, _ path: String, token: String? = "secret", _ headers: (String, String)...,
        body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        let authorization = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        return try await transport.send(
            HTTPRequest(
                method, address + path, headers: (authorization + headers).map { (name: $0.0, value: $0.1) },
                body: body,
                timeouts: HTTPTimeouts(total: .seconds(60))))
    }

    /// Returns once the head of the response has come, so that the agent surely has the request.
    func open(_ path: String) async throws -> HTTPExchange {
        try await transport.open(HTTPRequest("GET", address + path, headers: [("Authorization", "Bearer \(token)")]))
    }

    /// The error that a response carries.
    func error(_ response: HTTPResponse) throws -> APIError { try JSON.decode(APIError.self, from: response.body) }
}
