internal import HTTPClient

extension RunPodClient {
    public enum LogSource: String, Sendable {
        /// The output of the container.
        case container
        /// RunPod's own lines about pulls, starts and ends.
        case system
    }

    /// `GET /v2/pods/ID/logs`: the last `tail` lines and those that follow. The stream never ends by itself, and not
    /// even its head comes before its first line.
    public func logLines(of id: String, _ source: LogSource, tail: Int) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { lines in
            let task = Task {
                do {
                    let exchange = try await open("/pods/\(id)/logs?source=\(source.rawValue)&tail=\(tail)", idle: nil)
                    guard exchange.head.isSuccess else {
                        throw RunPodError(
                            .service, "RunPod shows no log of pod \"\(id)\": HTTP \(exchange.head.status)",
                            status: exchange.head.status)
                    }
                    var reader = EventReader()
                    for try await chunk in exchange.body {
                        for data in reader.feed(chunk) {
                            guard let line = try? WireJSON.decode(LogFrame.self, from: data.utf8) else { continue }
                            lines.yield(line.line)
                        }
                    }
                    lines.finish()
                } catch {
                    lines.finish(throwing: error)
                }
            }
            lines.onTermination = { _ in task.cancel() }
        }
    }
}

private struct LogFrame: Decodable {
    var line: String
}

/// Takes server-sent events apart.
struct EventReader {
    private var rest: [UInt8] = []
    private var data: [String] = []

    /// A longer line is dropped, 1 MiB.
    private static let maxLine = 1 << 20

    /// Returns the data of each event that `bytes` complete.
    mutating func feed(_ bytes: [UInt8]) -> [String] {
        rest += bytes
        var events: [String] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            var line = String(decoding: rest[..<end], as: UTF8.self)
            rest.removeFirst(end + 1)
            if line.hasSuffix("\r") { line.removeLast() }
            if line.isEmpty {
                if !data.isEmpty { events.append(data.joined(separator: "\n")) }
                data = []
            } else if line.hasPrefix("data:") {
                data.append(String(line.dropFirst(5).drop { $0 == " " }))
            }
        }
        if rest.count > Self.maxLine { rest = [] }
        return events
    }
}
