import Foundation

/// Pods that exist: listed, shown, changed and ended.
struct PodRoutes {
    let account: Account

    /// `GET /v2/pods`: the newest first, in pages.
    func list(_ request: Connection.Request) -> Answer {
        let (pods, page) = account.change { state in (state.pods.filter { $0.deleted == nil }, state.switches.page) }
        let limit = request.query("limit").map { Int($0) ?? 0 } ?? 1000
        guard (1...1000).contains(limit) else { return .problem(422, "Request validation failed.", errors: ["limit"]) }
        var start = 0
        if let cursor = request.query("cursor") {
            guard let index = pods.firstIndex(where: { "after-\($0.id)" == cursor }) else {
                return .problem(422, "Request validation failed.", errors: ["cursor"])
            }
            start = index + 1
        }
        let shown = pods[start...].prefix(min(limit, page))
        let hasNext = start + shown.count < pods.count
        let now = Date()
        return .json(
            .object([
                "pagination": .object([
                    "hasNextPage": .bool(hasNext),
                    "nextCursor": .text(hasNext ? shown.last.map { "after-\($0.id)" } : nil),
                ]),
                "pods": .array(shown.map { $0.json(at: now) }),
            ]))
    }

    /// `GET`, `PATCH` and `DELETE /v2/pods/ID`
    func one(_ method: String, _ id: String, _ body: JSONValue?) -> Answer {
        guard let pod = readable(id, method) else { return .problem(404, "pod not found") }
        switch method {
        case "GET": return .json(pod.json(at: Date()))
        case "DELETE":
            account.delete(id)
            return .empty
        case "PATCH": return patch(id, body)
        default: return .problem(405, "method not allowed")
        }
    }

    private func readable(_ id: String, _ method: String) -> EmulatedPod? {
        account.change { state in
            let stays = state.switches.deletedStays
            return state.pods.first { pod in
                guard pod.id == id else { return false }
                guard let deleted = pod.deleted else { return true }
                return method == "GET" && Date().timeIntervalSince(deleted) < stays
            }
        }
    }

    private func patch(_ id: String, _ body: JSONValue?) -> Answer {
        let known = [
            "args", "cmd", "disk", "entrypoint", "env", "image", "locked", "mounts", "name", "ports", "registry",
        ]
        guard let change = body?.object else { return .problem(400, "invalid JSON") }
        if let key = change.keys.first(where: { !known.contains($0) }) {
            return .problem(
                422, "Request validation failed.", errors: ["$: additional properties '\(key)' not allowed"])
        }
        account.change(id) { pod in
            pod.order.merge(change) { $1 }
            pod.name = change["name"]?.string ?? pod.name
        }
        return account.pod(id).map { .json($0.json(at: Date())) } ?? .problem(404, "pod not found")
    }

    /// `POST /v2/pods/ID/action`
    func act(_ id: String, _ body: JSONValue?) -> Answer {
        let word = "$.action: value must be one of 'start', 'stop', 'restart', 'terminate'"
        guard let action = body?["action"]?.string, ["start", "stop", "restart", "terminate"].contains(action) else {
            return .problem(422, "Request validation failed.", errors: [word])
        }
        guard let pod = account.pod(id) else { return .problem(404, "pod not found") }
        switch (action, pod.status) {
        case ("terminate", _):
            account.delete(id)
            return .empty
        case ("stop", .running), ("stop", .provisioning): account.stop(id)
        case ("start", .exited): if let refusal = start(id) { return refusal }
        case ("restart", .running): pod.container?.kill9()
        default: return .problem(409, "action \(action) is not allowed now")
        }
        return account.pod(id).map { .json($0.json(at: Date())) } ?? .problem(404, "pod not found")
    }

    /// Starts a stopped pod; nil if it does.
    func start(_ id: String) -> Answer? {
        let isTaken = account.change { state in
            defer { state.switches.gpuTaken = false }
            return state.switches.gpuTaken
        }
        if isTaken {
            return .problem(400, "There are not enough free GPUs on the host machine to start this pod.")
        }
        account.change(id) { pod in
            pod.status = .running
            pod.billedSince = Date()
            pod.started = Date()
        }
        account.startContainer(of: id)
        return nil
    }
}
