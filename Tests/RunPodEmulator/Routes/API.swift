import Foundation

/// The service behind the emulated addresses: finds the answer to each request.
struct API: Sendable {
    let account: Account
    let wire: WireRecord

    /// A key's owner.
    enum Caller {
        case account
        case pod(String)
    }

    /// Bytes of the longest body that REST v2 takes.
    private static let maxBody = 102_400

    func serve(_ connection: Connection) {
        guard connection.readHead() else { return }
        let request = connection.request
        if request.path.hasPrefix("/emulator/") {
            let body = connection.body(limit: 1 << 20) ?? []
            return connection.send(Control(account: account).answer(request, body))
        }
        if let refusal = Self.edge(request) { return connection.send(refusal) }
        if request.path.hasPrefix("/proxy/") { return Proxy(account: account).serve(connection) }
        if request.path.hasPrefix("/v1/") { return connection.send(.problem(410, "REST v1 has been retired.")) }
        guard let body = connection.body(limit: 1 << 20) else {
            return connection.send(.problem(413, "body too large"))
        }
        if account.change({ $0.switches.isDown }) { return connection.send(.problem(503, "service unavailable")) }
        let caller = caller(of: request)
        if request.path.hasPrefix("/v2/pods/"), request.path.hasSuffix("/logs"), request.method == "GET", caller != nil
        {
            return LogRoute(account: account).serve(connection)
        }
        var answer = answer(request, body, caller)
        answer.headers += [
            ("x-request-id", Account.random(12)), ("RateLimit", #""minute";r=176;t=30, "hour";r=7193;t=1812"#),
            ("RateLimit-Policy", #""minute";q=180;w=60, "hour";q=7200;w=3600"#),
        ]
        if request.path.hasPrefix("/v2"), answer.isRecorded, !answer.isLost, !answer.isCutInBody {
            wire.add(request, body, answer)
        }
        if !answer.isLost { connection.send(answer) }
    }

    /// The protection in front of the service refuses programs that do not name themselves.
    private static func edge(_ request: Connection.Request) -> Answer? {
        let agent = request["User-Agent"] ?? ""
        let libraries = ["curl/", "libcurl", "Python", "python", "Swift", "swift", "CFNetwork"]
        guard agent.isEmpty || libraries.contains(where: agent.hasPrefix) else { return nil }
        return .edge(403, "error code: 1010")
    }

    private func caller(of request: Connection.Request) -> Caller? {
        guard let key = request["Authorization"], key.hasPrefix("Bearer ") else { return nil }
        if key.dropFirst(7) == account.key { return .account }
        return account.change { state in
            state.pods.first { $0.key == key.dropFirst(7) && $0.deleted == nil }.map { .pod($0.id) }
        }
    }

    private func answer(_ request: Connection.Request, _ body: [UInt8], _ caller: Caller?) -> Answer {
        guard let caller else { return .problem(401, "missing bearer token") }
        if request.path == "/graphql" { return GraphQL(account: account).answer(body, caller) }
        if body.count > Self.maxBody { return .problem(413, "request body too large") }
        if case .pod(let id) = caller, let refusal = refusal(request, pod: id) { return refusal }
        let words = request.path.split(separator: "/").map(String.init)
        let json = JSONValue(body)
        switch (request.method, words.dropFirst().first, words.count) {
        case ("GET", "pods", 2): return PodRoutes(account: account).list(request)
        case ("POST", "pods", 2): return CreateRoute(account: account).create(json)
        case (let method, "pods", 3): return PodRoutes(account: account).one(method, words[2], json)
        case ("POST", "pods", 4) where words[3] == "action": return PodRoutes(account: account).act(words[2], json)
        case (_, "catalog", _), (_, "network-volumes", _), (_, "account", _):
            return AccountRoutes(account: account).answer(request.method, Array(words.dropFirst()), json)
        default: return .problem(404, "The requested path was not found.")
        }
    }

    /// What a pod's own key is refused.
    private func refusal(_ request: Connection.Request, pod: String) -> Answer? {
        let isOwn = request.path == "/v2/pods/\(pod)" || request.path == "/v2/pods/\(pod)/action"
        switch account.change({ $0.switches.podKey }) {
        case .all where isOwn: return nil
        case .noRead where isOwn && request.method != "GET": return nil
        case .none: return Answer(status: 403, isRecorded: false)
        default: return .problem(403, "access denied")
        }
    }
}
