public import HTTPClient

/// A client of RunPod's API for one key.
///
/// A GET is repeated after faults of the network and of RunPod. Everything else is repeated only after a 429: a
/// repeated create could buy a second pod.
public struct RunPodClient: Sendable {
    public let addresses: RunPodAddresses
    private let key: String
    private let transport: any HTTPTransport
    private let pace: Pace

    public struct Pace: Sendable {
        /// Timeout of one request.
        public var request: Duration = .seconds(30)
        /// Time after which a repeated request gives up.
        public var total: Duration = .seconds(60)
        /// Pause before the second try of a GET. It doubles up to `longest`.
        public var pause: Duration = .milliseconds(500)
        public var longest: Duration = .seconds(15)

        public init() {}
    }

    public init(
        key: String, addresses: RunPodAddresses = RunPodAddresses(), transport: any HTTPTransport, pace: Pace = Pace()
    ) {
        self.key = key
        self.addresses = addresses
        self.transport = transport
        self.pace = pace
    }

    // MARK: Requests

    /// Sends a request to REST v2 and reads its answer. `path` begins with a slash; `doing` is a verb phrase for
    /// errors.
    func call<Value: Decodable>(
        _ method: String, _ path: String, _ body: (any Encodable & Sendable)? = nil, doing: String
    ) async throws(RunPodError) -> Value {
        try decode(try await exchange(try request(method, addresses.rest + path, body), doing: doing), doing: doing)
    }

    /// Sends a request whose answer is of no interest.
    func perform(
        _ method: String, _ path: String, _ body: (any Encodable & Sendable)? = nil, doing: String
    ) async throws(RunPodError) {
        _ = try await exchange(try request(method, addresses.rest + path, body), doing: doing)
    }

    /// Opens a stream of REST v2. Returns once its first bytes are there.
    func open(_ path: String, idle: Duration?) async throws(RunPodError) -> HTTPExchange {
        var request = try request("GET", addresses.rest + path, nil)
        request.timeouts.idle = idle
        request.timeouts.total = nil
        request.headers.append(("Accept", "text/event-stream"))
        do {
            return try await transport.open(request)
        } catch {
            throw RunPodError(.unreachable, "RunPod does not answer: \(error.message)", hint: error.hint)
        }
    }

    /// Sends a GraphQL document. `isRead` if it changes nothing.
    func graphQL<Value: Decodable>(
        _ document: String, _ variables: some Encodable & Sendable, isRead: Bool, doing: String
    ) async throws(RunPodError) -> Value {
        let request = try request("POST", addresses.graphQL, GraphQLRequest(query: document, variables: variables))
        let response = try await exchange(request, isRepeatable: isRead, doing: doing)
        let reply: GraphQLReply<Value> = try decode(response, doing: doing)
        if let message = reply.errors?.first?.message {
            throw RunPodError(
                Refusal.kind(ofText: message), "RunPod refused to \(doing): \(message)", status: response.status,
                requestID: response.headers["x-request-id"])
        }
        guard let data = reply.data else { throw unreadable(response, doing) }
        return data
    }

    private func request(
        _ method: String, _ url: String, _ body: (any Encodable & Sendable)?
    ) throws(RunPodError) -> HTTPRequest {
        var headers = [("Authorization", "Bearer \(key)")]
        var bytes: [UInt8]?
        if let body {
            headers.append(("Content-Type", "application/json"))
            do {
                bytes = try WireJSON.encode(body)
            } catch {
                throw RunPodError(.invalid, "the request to RunPod could not be written: \(error)")
            }
        }
        return HTTPRequest(
            method, url, headers: headers, body: bytes,
            timeouts: HTTPTimeouts(connect: .seconds(10), idle: pace.request, total: pace.request))
    }

    private func exchange(
        _ request: HTTPRequest, isRepeatable: Bool? = nil, doing: String
    ) async throws(RunPodError) -> HTTPResponse {
        let isRepeatable = isRepeatable ?? (request.method == "GET")
        let start = ContinuousClock.now
        var tries = 0
        while true {
            var pause = min(pace.pause * (1 << min(tries, 10)), pace.longest)
            let error: RunPodError
            var mayRepeat = isRepeatable
            do {
                let response = try await transport.send(request)
                if response.head.isSuccess { return response }
                error = Refusal.error(response, doing: doing)
                if error.kind == .rateLimited {
                    pause = .seconds(RateLimit.pause(response.headers))
                    mayRepeat = true
                }
            } catch let fault {
                error = lost(fault, doing)
            }
            guard mayRepeat, error.isPassing, start.duration(to: .now) + pause < pace.total else { throw error }
            do { try await Task.sleep(for: pause) } catch { throw self.error(ofCancellation: doing) }
            tries += 1
        }
    }

    // MARK: Answers

    private func decode<Value: Decodable>(_ response: HTTPResponse, doing: String) throws(RunPodError) -> Value {
        do {
            return try WireJSON.decode(Value.self, from: response.body)
        } catch {
            throw unreadable(response, doing)
        }
    }

    private func unreadable(_ response: HTTPResponse, _ doing: String) -> RunPodError {
        RunPodError(
            .service, "RunPod's answer to \"\(doing)\" could not be read", status: response.status,
            requestID: response.headers["x-request-id"], mayHaveWorked: true)
    }

    private func lost(_ fault: HTTPError, _ doing: String) -> RunPodError {
        // A host that could not be reached has seen nothing of the request.
        let isSent = fault.code != .unreachable && fault.code != .invalidRequest && fault.code != .tls
        return RunPodError(
            fault.isPassing || fault.code == .protocolError ? .unreachable : .invalid,
            "could not \(doing): \(fault.message)", hint: fault.hint, mayHaveWorked: isSent)
    }

    private func error(ofCancellation doing: String) -> RunPodError {
        RunPodError(.unreachable, "could not \(doing): it was cancelled")
    }
}

private struct GraphQLRequest<Variables: Encodable & Sendable>: Encodable, Sendable {
    var query: String
    var variables: Variables
}

private struct GraphQLReply<Value: Decodable>: Decodable {
    struct Message: Decodable {
        var message: String
    }

    var data: Value?
    var errors: [Message]?

    enum CodingKeys: CodingKey { case data, errors }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        errors = try container.decodeIfPresent([Message].self, forKey: .errors)
        // With errors the data may have any shape.
        data = errors == nil ? try container.decodeIfPresent(Value.self, forKey: .data) : nil
    }
}
