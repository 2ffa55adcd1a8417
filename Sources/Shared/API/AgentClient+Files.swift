public import HTTPClient

/// A file or folder of the volume, as the agent reports it.
public struct RemoteEntry: Sendable, Equatable {
    public var kind: FolderEntry.Kind
    /// Bytes of a file; nil for a folder.
    public var size: Int?
    /// The version of a file. Each change gives another one.
    public var tag: String?
}

/// The bytes of a file, or of a part of it, while they arrive.
public struct RemoteFile: Sendable {
    public var entry: RemoteEntry
    /// The range of the bytes in `body`.
    public var range: Range<Int>
    /// Ends with an `HTTPError` if the file becomes shorter meanwhile.
    public var body: HTTPBody
}

/// The files of the agent's volume. Paths are relative to its root; the empty one is the root.
extension AgentClient {
    /// `HEAD /v1/files/PATH`: nil if nothing is there.
    public func statusOf(_ path: String) async throws -> RemoteEntry? {
        let response = try await transport.send(request("HEAD", Endpoint.file(path)))
        guard response.head.headers[APIHeader.agent] != nil else { throw UnknownReply(to: response.head) }
        if response.status == APIError.Code.notFound.status { return nil }
        guard response.head.isSuccess, let entry = RemoteEntry(response.head) else {
            throw Self.headError(response.head, path)
        }
        return entry
    }

    /// `GET /v1/files/PATH` of a folder: its entries, sorted by name. Throws an `APIError` `notFound` if the path is
    /// absent.
    public func entries(of path: String) async throws -> [FolderEntry] {
        let exchange = try await open(path)
        guard RemoteEntry(exchange.head)?.kind == .folder else {
            throw APIError(.conflict, "\"\(path)\" is not a folder")
        }
        var entries: [FolderEntry] = []
        var line: [UInt8] = []
        for try await chunk in exchange.body {
            var parts = chunk.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let open = parts.removeLast()
            for part in parts {
                entries.append(try JSON.decode(FolderEntry.self, from: line + part))
                line = []
            }
            line += open
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// `GET /v1/files/PATH` of a file, from byte `offset` on and `length` bytes of it; all that follow if it is nil.
    ///
    /// With `version`, the tag of an earlier answer, another version of the file comes whole: `range` then begins at 0.
    /// Throws an `APIError`: `notFound` if nothing is there, `rangeNotSatisfiable` if the file ends before `offset`.
    public func file(
        _ path: String, from offset: Int = 0, length: Int? = nil, version: String? = nil
    ) async throws -> RemoteFile {
        var headers: [(name: String, value: String)] = []
        if offset > 0 || length != nil {
            let last = length.map { String(offset + $0 - 1) } ?? ""
            headers.append(("Range", "bytes=\(offset)-\(last)"))
            if let version { headers.append(("If-Range", version)) }
        }
        let exchange = try await open(path, headers)
        guard var entry = RemoteEntry(exchange.head), entry.kind == .file, let size = entry.size else {
            throw APIError(.conflict, "\"\(path)\" is not a file")
        }
        guard let range = exchange.head.contentRange else {
            return RemoteFile(entry: entry, range: 0..<size, body: exchange.body)
        }
        entry.size = range.whole
        return RemoteFile(entry: entry, range: range.part, body: exchange.body)
    }

    /// All bytes of a small file; nil if nothing is there. More than `limit` bytes are an error.
    public func bytes(of path: String, limit: Int = 16 << 20) async throws -> [UInt8]? {
        do {
            return try await Self.collect(try await file(path).body, path, limit)
        } catch let error as APIError where error.code == .notFound {
            return nil
        }
    }

    /// A small file of which the caller may have a version already.
    public enum FileChange: Sendable, Equatable {
        /// The caller has the file as it is.
        case none
        case gone
        case content([UInt8], EntityTag)
    }

    /// The file at `path` unless it is the version `tag`. More than `limit` bytes are an error.
    public func change(of path: String, since tag: EntityTag?, limit: Int) async throws -> FileChange {
        let exchange: HTTPExchange
        do {
            exchange = try await open(path, tag.map { [("If-None-Match", $0.text)] } ?? [])
        } catch let error as APIError where error.code == .notFound {
            return .gone
        }
        if exchange.head.status == 304 { return .none }
        guard let tag = RemoteEntry(exchange.head)?.tag.flatMap({ EntityTag($0) }) else {
            throw APIError(.conflict, "\"\(path)\" is not a file")
        }
        return .content(try await Self.collect(exchange.body, path, limit), tag)
    }

    /// `GET /v1/checkpoints/RUN`: the checkpoints that lie on the run's volume, the oldest first.
    public func checkpoints(of run: RunID) async throws -> [ListedCheckpoint] {
        var request = request("GET", Endpoint.checkpoints(of: run))
        request.timeouts = HTTPTimeouts(connect: .seconds(5), idle: .seconds(60), total: nil)
        let response = try await transport.send(request)
        guard response.head.isSuccess, let list = try? JSON.decode([ListedCheckpoint].self, from: response.body) else {
            throw Self.error(response)
        }
        return list
    }

    private static func collect(_ body: HTTPBody, _ path: String, _ limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in body {
            guard chunk.count <= limit - bytes.count else {
                throw HTTPError(.tooLarge, "\"\(path)\" is longer than \(limit) bytes")
            }
            bytes += chunk
        }
        return bytes
    }

    private func open(_ path: String, _ headers: [(name: String, value: String)] = []) async throws -> HTTPExchange {
        var request = request("GET", Endpoint.file(path))
        request.headers += headers
        request.timeouts.total = nil
        let exchange = try await transport.open(request)
        guard exchange.head.isSuccess || exchange.head.status == 304 else { throw try await Self.error(exchange) }
        // The page of a proxy must not end up in a file.
        guard exchange.head.headers[APIHeader.agent] != nil else { throw UnknownReply(to: exchange.head) }
        return exchange
    }

    /// Returns the error of a reply to HEAD, which has no body.
    static func headError(_ head: HTTPHead, _ path: String) -> any Error {
        guard let code = APIError.Code.allCases.first(where: { $0.status == head.status }) else {
            return UnknownReply(to: head)
        }
        return APIError(code, "the agent answered \(head.status) for \"\(path)\"")
    }
}

extension RemoteEntry {
    /// nil if the head is not one of a file or a folder.
    fileprivate init?(_ head: HTTPHead) {
        guard let kind = head.headers[APIHeader.entryKind].flatMap({ FolderEntry.Kind(rawValue: $0) }) else {
            return nil
        }
        let size = head.headers["Content-Length"].flatMap { Int($0) }
        self.init(kind: kind, size: kind == .file ? size : nil, tag: head.headers["ETag"])
    }
}

extension HTTPHead {
    /// `Content-Range: bytes 5-9/100` as 5..<10 of 100; nil without one.
    fileprivate var contentRange: (part: Range<Int>, whole: Int)? {
        let numbers = headers["Content-Range"]?.split { !$0.isASCII || !$0.isNumber }.map { Int($0) } ?? []
        guard numbers.count == 3, let first = numbers[0], let last = numbers[1], let whole = numbers[2], first <= last
        else { return nil }
        return (first..<last + 1, whole)
    }
}
