import HTTPClient
import Shared
import Synchronization

@testable import Launcher

/// An agent without a network that serves the files of a folder, as `GET /v1/files/PATH` does.
final class FileServingTransport: HTTPTransport {
    private struct State {
        /// The targets that were asked for, with their `Range`.
        var asked: [String] = []
        /// Bytes of files that were sent.
        var sent = 0
        var refusals: [HTTPError] = []
        var extraEntries: [FolderEntry] = []
        var beforeAnswer: (@Sendable (String) throws -> Void)?
    }

    private let root: String
    private let state = Mutex(State())

    init(root: String) { self.root = root }

    var client: AgentClient { AgentClient(address: "http://agent", token: "token", transport: self) }

    /// The next requests fail with these errors.
    func refuse(_ errors: [HTTPError]) { state.withLock { $0.refusals = errors } }

    /// Every listing names these files too.
    func list(_ entries: [FolderEntry]) { state.withLock { $0.extraEntries = entries } }

    /// Calls `action` with each path before it is answered.
    func beforeAnswer(_ action: (@Sendable (String) throws -> Void)?) { state.withLock { $0.beforeAnswer = action } }

    /// Returns what was asked for since the last call, and the number of bytes of files that were sent.
    func takeAsked() -> (targets: [String], bytes: Int) {
        state.withLock { state in
            defer { (state.asked, state.sent) = ([], 0) }
            return (state.asked, state.sent)
        }
    }

    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange {
        let target = String(request.url.dropFirst("http://agent\(Endpoint.files)/".count))
        let range = request.headers.first { $0.name == "Range" }?.value
        let refusal = state.withLock { state in
            state.asked.append(range.map { "\(target) \($0)" } ?? target)
            return state.refusals.isEmpty ? nil : state.refusals.removeFirst()
        }
        if let refusal { throw refusal }
        do {
            return try answer(request, target, range)
        } catch {
            throw HTTPError(.invalidRequest, "\(error)")
        }
    }

    private func answer(_ request: HTTPRequest, _ target: String, _ range: String?) throws -> HTTPExchange {
        let path = "\(root)/\(target)"
        try state.withLock { $0.beforeAnswer }?(target)
        guard let status = File.status(path) else {
            return try Self.exchange(404, body: try JSON.encode(APIError(.notFound, "there is no \(target)")))
        }
        if status.isFolder { return try Self.exchange(200, kind: "folder", body: try listing(path)) }
        let bytes = try File.read(path)
        let tag = (File.status(path) ?? status).entityTag.text
        if request.headers.contains(where: { $0.name == "If-None-Match" && $0.value == tag }) {
            return try Self.exchange(304, kind: "file", tag: tag)
        }
        let numbers = (range ?? "").split { !$0.isNumber }.compactMap { Int($0) }
        let part = numbers.isEmpty ? bytes[...] : bytes[numbers[0]...min(numbers[1], bytes.count - 1)]
        state.withLock { $0.sent += part.count }
        let contentRange = numbers.isEmpty ? nil : "bytes \(part.startIndex)-\(part.endIndex - 1)/\(bytes.count)"
        return try Self.exchange(
            numbers.isEmpty ? 200 : 206, kind: "file", tag: tag, range: contentRange, body: Array(part))
    }

    private func listing(_ path: String) throws -> [UInt8] {
        let found = try File.list(path).compactMap { name in
            File.status("\(path)/\(name)").map {
                FolderEntry(
                    name: name, kind: $0.isFolder ? .folder : .file, size: $0.size, modified: $0.modified)
            }
        }
        return try (found + state.withLock { $0.extraEntries }).flatMap { try JSON.encode($0) + [UInt8(ascii: "\n")] }
    }

    private static func exchange(
        _ status: Int, kind: String? = nil, tag: String? = nil, range: String? = nil, body: [UInt8] = []
    ) throws -> HTTPExchange {
        let headers = [
            (APIHeader.agent, "test"), (APIHeader.entryKind, kind), ("ETag", tag), ("Content-Range", range),
            ("Content-Length", "\(body.count)"),
        ].compactMap { name, value in value.map { (name: name, value: $0) } }
        let rest = Mutex<[UInt8]?>(body.isEmpty ? nil : body)
        return HTTPExchange(
            head: HTTPHead(status: status, headers: HTTPHeaders(headers)),
            body: HTTPBody { () throws(HTTPError) in
                rest.withLock { rest in
                    defer { rest = nil }
                    return rest
                }
            })
    }
}
