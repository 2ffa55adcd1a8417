import Foundation

/// `GET /v2/pods/ID/logs`: server-sent events. No byte comes before the first line, and the stream has no end.
struct LogRoute {
    let account: Account

    func serve(_ connection: Connection) {
        let request = connection.request
        let id = request.path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
        guard let pod = account.pod(id) else { return connection.send(.problem(404, "pod not found")) }
        let tail = request.query("tail").map { Int($0) ?? -1 } ?? 100
        guard (0...5000).contains(tail) else {
            return connection.send(.problem(422, "Request validation failed.", errors: ["tail"]))
        }
        let source = request.query("source")
        func shown() -> [PodLog.Line] { pod.log.lines.filter { source == nil || $0.source == source } }
        var next = max(0, shown().count - tail)
        if let last = request["Last-Event-ID"] {
            guard let index = shown().firstIndex(where: { $0.id == last }) else {
                return connection.send(.problem(400, "unknown event id"))
            }
            next = index + 1
        }
        stream(to: connection, from: next, of: id, shown)
    }

    private func stream(
        to connection: Connection, from first: Int, of id: String, _ shown: () -> [PodLog.Line]
    ) {
        var next = first
        var hasHead = false
        while account.pod(id) != nil {
            let lines = shown()
            if next < lines.count, !hasHead {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                guard connection.send(Array("\(head)Connection: close\r\n\r\n".utf8)) else { return }
                hasHead = true
            }
            for line in lines[min(next, lines.count)...] {
                let data: JSONValue = .object([
                    "line": .string(line.text), "source": .string(line.source),
                    "ts": .string(EmulatedPod.time(line.time)),
                ])
                let event = "id: \(line.id)\ndata: \(String(decoding: data.bytes, as: UTF8.self))\n\n"
                guard connection.send(Array(event.utf8)) else { return }
            }
            next = lines.count
            usleep(50_000)
            if connection.isClosed { return }
        }
    }
}
