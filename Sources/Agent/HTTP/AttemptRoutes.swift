internal import Shared

/// The routes that report on the current attempt, and the one that stops it.
struct AttemptRoutes: Sendable {
    let current: CurrentAttempt
    let history: EventHistory
    let post: @Sendable (Event) -> Void
    private let pieces = LogPieces()

    init(current: CurrentAttempt, history: EventHistory, post: @escaping @Sendable (Event) -> Void) {
        self.current = current
        self.history = history
        self.post = post
    }

    var routes: [Route] {
        [
            Route("GET", RoutePattern(Endpoint.status)) { _ in try .json(try current.claimed.status) },
            Route("GET", RoutePattern(Endpoint.log)) { request in
                try await LogRoute(work: try current.claimed, pieces: pieces).respond(to: request)
            },
            Route("GET", RoutePattern(Endpoint.events)) { request in
                _ = try current.claimed
                return EventsRoute(history: history) { current.ifClaimed?.status }.respond(to: request)
            },
            Route("GET", RoutePattern(Endpoint.checkpoints)) { _ in
                let run = try current.claimed.run
                return try .json(CheckpointsReport(receipts: try await DedicatedThread.run { try run.allReceipts() }))
            },
            Route("POST", RoutePattern(Endpoint.stop), stop),
        ]
    }

    var health: Route {
        Route("GET", RoutePattern(Endpoint.health), isOpen: true) { _ in
            let isReady = current.ifClaimed != nil
            let report = HealthReport(ready: isReady, version: Version.current)
            return try .json(report, status: isReady ? 200 : APIError.Code.unavailable.status)
        }
    }

    @Sendable private func stop(_ request: Request) async throws -> Response {
        let attempt = try current.claimed
        let body = try await request.body.collect()
        guard let stop = try? JSON.decode(StopRequest.self, from: body) else {
            throw APIError(
                .badRequest, "the body is no request to stop",
                hint: #"send {"mode":"graceful"} or {"mode":"now"}; "then" may be "stop" or "terminate""#)
        }
        if let problem = stop.problem { throw APIError(.badRequest, problem.sentence, hint: problem.hint) }
        post(.stopRequested(stop))
        return try .json(attempt.status, status: 202)
    }
}
