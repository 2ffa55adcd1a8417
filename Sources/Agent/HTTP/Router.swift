internal import NIOHTTP1
internal import Shared
internal import Synchronization

/// Chooses who answers a request. Anything but health needs the token.
final class Router: Sendable {
    private let tokenDigest: SHA256Digest
    private let tell: @Sendable (Event) -> Void
    private let work = Mutex<OpenAttempt?>(nil)
    private let history = EventHistory()
    private let pieces = LogPieces()

    init(tokenDigest: SHA256Digest, tell: @escaping @Sendable (Event) -> Void) {
        self.tokenDigest = tokenDigest
        self.tell = tell
    }

    /// What `journal` tells from now on is an event.
    func announce(_ journal: Journal) {
        journal.observe { [history] in history.take($0) }
    }

    /// From now on there is an attempt to speak of.
    func serve(_ work: OpenAttempt) {
        self.work.withLock { $0 = work }
    }

    func respond(to request: Request) async -> Response {
        do {
            return try await route(request)
        } catch let error as APIError {
            return .error(error)
        } catch {
            Console.say("\(request.method) \(request.path): \(error)")
            return .error(APIError(.internal, "the agent failed to answer; its own log says more"))
        }
    }

    private func route(_ request: Request) async throws -> Response {
        let work = self.work.withLock { $0 }
        if (request.method, request.path) == ("GET", Endpoint.health) {
            let health = HealthReport(ready: work != nil, version: Version.current)
            return try .json(health, status: work == nil ? APIError.Code.unavailable.status : 200)
        }
        try authorize(request)
        guard let work else {
            throw APIError(.unavailable, "the run is not claimed yet", hint: "ask again in a second")
        }
        switch (request.method, request.path) {
        case ("GET", Endpoint.status):
            return try .json(work.status)
        case ("GET", Endpoint.log), ("HEAD", Endpoint.log):
            return try await LogRoute(work: work, pieces: pieces).respond(to: request)
        case ("GET", Endpoint.events):
            return EventsRoute(history: history) { [self] in self.work.withLock { $0?.status } }
                .respond(to: request)
        case ("GET", Endpoint.checkpoints):
            return try .json(CheckpointsReport(receipts: try await DedicatedThread.run { try work.run.allReceipts() }))
        case ("POST", Endpoint.stop):
            guard let stop = try? JSON.decode(StopRequest.self, from: request.body) else {
                throw APIError(
                    .badRequest, "the body is no request to stop",
                    hint: #"send {"mode":"graceful"} or {"mode":"now"}; "then" may be "stop" or "terminate""#)
            }
            if let problem = stop.problem { throw APIError(.badRequest, problem.sentence, hint: problem.hint) }
            tell(.stopRequested(stop))
            return try .json(work.status, status: 202)
        case (_, Endpoint.status), (_, Endpoint.log), (_, Endpoint.events), (_, Endpoint.checkpoints),
            (_, Endpoint.stop), (_, Endpoint.health):
            throw APIError(.methodNotAllowed, "\(request.method) is not for \"\(request.path)\"")
        default:
            throw APIError(.notFound, "there is no \"\(request.path)\"")
        }
    }

    private func authorize(_ request: Request) throws(APIError) {
        let bearer = request.headers.first(name: "Authorization")
            .flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        guard let token = bearer ?? request.headers.first(name: APIHeader.token) else {
            throw APIError(.unauthorized, "no token", hint: "send it as \"Authorization: Bearer …\"")
        }
        guard SHA256Digest(of: token).matches(tokenDigest) else {
            throw APIError(.unauthorized, "the token is not this launch's")
        }
    }
}
