internal import NIOHTTP1
internal import Shared

/// `GET /v1/events`: changes of the attempt as Server-Sent Events (HTML standard, section 9.2).
///
/// An event `change` carries an `AttemptChange`. A client that is new, or has missed more than the history holds, first
/// gets an event `status` with the whole `StatusReport`.
struct EventsRoute: Sendable {
    let history: EventHistory
    let status: @Sendable () -> StatusReport?
    /// A comment is sent after this time without an event, so that no proxy takes the connection for dead.
    var silence: Duration = .seconds(15)

    func respond(to request: Request) -> Response {
        let headers = [
            ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
        ]
        let seen = request.headers.first(name: "Last-Event-ID").flatMap { EventHistory.ID($0) }
        return Response(
            headers: headers,
            body: .stream(length: nil) { writer in
                _ = try await FollowedResponse.run { try await follow(after: seen, into: writer) }
            })
    }

    /// Returns at the end of the last attempt.
    private func follow(after seen: EventHistory.ID?, into writer: ResponseWriter) async throws {
        // The time in milliseconds after which a client asks again.
        try await writer.write(Array("retry: 1000\n\n".utf8))
        var seen = seen
        while true {
            if let id = seen, let events = history.events(after: id) {
                let text = try events.map { try message("change", $0.id, $0.change) }.joined()
                seen = events.last?.id ?? id
                if !text.isEmpty { try await writer.write(Array(text.utf8)) }
            } else if let id = history.last, let status = status() {
                // A change between the two lines above is in this status and in the next event.
                try await writer.write(Array(try message("status", id, status).utf8))
                seen = id
            }
            guard let id = seen, status()?.attempt.state != .ended || id != history.last else { return }
            let event: Void? = try await FollowedResponse.run(for: silence) { try await history.event(after: id) }
            if event == nil { try await writer.write(Array(":\n\n".utf8)) }
        }
    }

    private func message(_ name: String, _ id: EventHistory.ID, _ value: some Encodable) throws -> String {
        "event: \(name)\nid: \(id)\ndata: \(try JSON.text(value))\n\n"
    }
}
