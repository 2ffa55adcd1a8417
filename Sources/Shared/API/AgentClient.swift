public import HTTPClient

/// A client of one agent's API.
///
/// Throws an `APIError` for an error that the agent reports, an `UnknownReply` for any other reply that is not
/// understood, and an `HTTPError` if no reply came.
public struct AgentClient: Sendable {
    /// An address such as `http://127.0.0.1:8000`, without a slash at the end.
    public let address: String
    private let token: String
    let transport: any HTTPTransport

    public init(address: String, token: String, transport: any HTTPTransport) {
        self.address = address
        self.token = token
        self.transport = transport
    }

    /// `GET /v1/health`. An agent that is not ready answers too.
    public func health() async throws -> HealthReport {
        let response = try await transport.send(request("GET", Endpoint.health))
        guard let report = try? JSON.decode(HealthReport.self, from: response.body) else {
            throw Self.error(response)
        }
        return report
    }

    /// `GET /v1/status`
    public func status() async throws -> StatusReport {
        try await decoded("GET", Endpoint.status)
    }

    /// `POST /v1/stop`. Returns when the agent has accepted the request. The training ends later.
    public func stop(_ request: StopRequest) async throws {
        let _: StatusReport = try await decoded("POST", Endpoint.stop, body: try JSON.encode(request))
    }

    /// `GET /v1/log?follow=1`: the log's bytes from `offset` on as they come, for a minute at most.
    ///
    /// `stream` is the `X-Log-Stream` of the response that brought the caller's last byte. Throws `LogCut` and
    /// `LogDropped` too.
    public func followLog(from offset: Int, stream: String?) async throws -> HTTPExchange {
        let known = stream.flatMap { Self.isStreamID($0) ? "&stream=\($0)" : nil } ?? ""
        var request = request("GET", "\(Endpoint.log)?follow=1&from=\(offset)\(known)")
        request.timeouts.total = nil
        // The agent ends the response after 60 s. A longer silence means that the connection is dead.
        request.timeouts.idle = .seconds(75)
        let exchange = try await transport.open(request)
        if exchange.head.isSuccess {
            // Bytes of another program that listens there now must not get into a log.
            guard exchange.head.headers[APIHeader.logOffset] == String(offset) else {
                throw HTTPError(.protocolError, "what answers at \"\(address)\" is not the log from byte \(offset) on")
            }
            return exchange
        }
        let goesOn = exchange.head.headers[APIHeader.logOffset].flatMap { Int($0) }
        switch (exchange.head.status, goesOn) {
        case (APIError.Code.conflict.status, let cut?) where (0..<offset).contains(cut): throw LogCut(offset: cut)
        case (APIError.Code.gone.status, let kept?) where kept > offset: throw LogDropped(firstKept: kept)
        default: break
        }
        throw try await Self.error(exchange)
    }

    /// Whether an agent may have made `text`, which becomes part of a URL.
    private static func isStreamID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private func decoded<Value: Decodable>(_ method: String, _ path: String, body: [UInt8]? = nil) async throws -> Value
    {
        let response = try await transport.send(request(method, path, body: body))
        guard response.head.isSuccess, let value = try? JSON.decode(Value.self, from: response.body) else {
            throw Self.error(response)
        }
        return value
    }

    func request(_ method: String, _ path: String, body: [UInt8]? = nil) -> HTTPRequest {
        HTTPRequest(
            method, address + path, headers: [("Authorization", "Bearer \(token)")], body: body,
            timeouts: HTTPTimeouts(connect: .seconds(5), idle: .seconds(15), total: .seconds(20)))
    }

    // MARK: - Errors

    static func error(_ response: HTTPResponse) -> any Error {
        if let error = try? JSON.decode(APIError.self, from: response.body) { return error }
        return UnknownReply(to: response.head)
    }

    /// The error of a reply whose body has not been read.
    static func error(_ exchange: HTTPExchange) async throws -> any Error {
        var body: [UInt8] = []
        for try await chunk in exchange.body {
            body += chunk
            // No error is longer; what sends more may never stop.
            if body.count >= 64 << 10 { break }
        }
        return error(HTTPResponse(head: exchange.head, body: body))
    }

    /// Whether the same request may succeed a little later: the agent, the network or a proxy has trouble that passes.
    public static func isPassing(_ error: any Error) -> Bool {
        switch error {
        // A reply that is not HTTP comes from a program that now has the port of an agent that has ended.
        case let error as HTTPError: error.isPassing || error.code == .protocolError
        case let error as APIError: error.isPassing
        case let error as UnknownReply: error.isPassing
        default: false
        }
    }
}

/// Bytes that a follower has were lost with a pod before they were on stable storage. The log continues at `offset`.
public struct LogCut: Error, Equatable {
    public var offset: Int

    public init(offset: Int) { self.offset = offset }
}

/// Bytes that a follower asked for were dropped by retention. The log now begins at `firstKept`.
public struct LogDropped: Error, Equatable {
    public var firstKept: Int

    public init(firstKept: Int) { self.firstKept = firstKept }
}
