internal import HTTPClient

/// Uploads. They resume by themselves after a broken connection, a proxy's error or a restart of the agent.
extension AgentClient {
    /// The size of parts and the times of retries.
    public struct UploadPace: Sendable {
        /// Bytes of one request. Some proxies refuse long ones.
        public var partSize = 32 << 20
        /// An upload fails after this time without progress.
        public var timeout: Duration = .seconds(120)
        /// The time between two tries. It doubles up to `maxPause`.
        public var pause: Duration = .milliseconds(50)
        public var maxPause: Duration = .seconds(5)

        public init() {}
    }

    /// `PUT /v1/files/PATH`: copies the local file `source` to `path` of the volume. No reader sees a part of it there.
    public func put(file source: String, to path: String, pace: UploadPace = UploadPace()) async throws {
        let (sha256, size) = try LocalFile.digest(of: source)
        try await put(
            LocalFile(path: source, size: size), to: Endpoint.file(path) + "?sha256=\(sha256)", pace)
    }

    /// `PUT /v1/code/SHA256`: brings packed code, the local file `source`.
    public func putCode(_ code: PackedCode, file source: String, pace: UploadPace = UploadPace()) async throws {
        try await put(LocalFile(path: source, size: code.size), to: "\(Endpoint.code)/\(code.sha256)?", pace)
    }

    private func put(_ file: LocalFile, to target: String, _ pace: UploadPace) async throws {
        var retry = UploadRetry(pace: pace)
        var offset: Int?
        /// Whether the volume has bytes of an earlier upload.
        var isResumed = false
        while true {
            do {
                let start: Int
                if let offset {
                    start = offset
                } else {
                    let known = try await firstOffset(of: file, target)
                    retry.reached(known.received)
                    start = known.start
                    isResumed = isResumed || known.received > 0
                }
                switch try await putPart(of: file, from: start, to: target, pace) {
                case .complete: return
                case .received(let count):
                    retry.reached(count)
                    offset = count
                case .busy(let error): try await retry.pause(after: error)
                }
            } catch let error as APIError where error.code == .checksumMismatch && isResumed {
                // The bytes may be lost with a host, or be those of another file. The whole file is sent once more.
                (isResumed, offset) = (false, 0)
            } catch {
                try Task.checkCancellation()
                guard Self.isPassing(error) else { throw error }
                try await retry.pause(after: error)
                offset = nil
            }
        }
    }

    /// Returns the offset at which the upload resumes. If the target has the same size already, nothing is sent: the
    /// agent compares the content.
    private func firstOffset(of file: LocalFile, _ target: String) async throws -> (start: Int, received: Int) {
        let head = try await transport.send(request("HEAD", target)).head
        guard head.headers[APIHeader.agent] != nil else { throw UnknownReply(to: head) }
        guard head.isSuccess || head.status == APIError.Code.notFound.status else {
            throw Self.headError(head, target)
        }
        guard let offset = head.headers[APIHeader.uploadOffset].flatMap({ Int($0) }) else {
            throw APIError(.methodNotAllowed, "the agent at \"\(address)\" takes no files")
        }
        let isThere = head.isSuccess && (head.headers["Content-Length"].flatMap { Int($0) } ?? file.size) == file.size
        return (offset == 0 && isThere ? file.size : min(offset, file.size), offset)
    }

    private enum PartResult {
        case complete
        /// The volume has this many bytes of the file.
        case received(Int)
        /// Another upload writes the same target.
        case busy(APIError)
    }

    private func putPart(
        of file: LocalFile, from offset: Int, to target: String, _ pace: UploadPace
    ) async throws -> PartResult {
        let end = min(file.size, offset + pace.partSize)
        var request = request("PUT", "\(target)&offset=\(offset)&size=\(file.size)")
        request.body = .stream(length: end - offset, next: file.reader(of: offset..<end))
        request.timeouts.total = nil
        // After the last part the agent reads the whole file once more.
        request.timeouts.idle = .seconds(end == file.size ? 600 : 60)
        let response = try await transport.send(request)
        let received = response.headers[APIHeader.uploadOffset].flatMap { Int($0) }
        switch (response.status, received) {
        case (201, _?): return .complete
        case (202, let count?) where count > offset || end == offset: return .received(count)
        case (APIError.Code.conflict.status, let count?): return .received(count)
        default: break
        }
        let error = Self.error(response)
        if let error = error as? APIError, response.headers["Retry-After"] != nil { return .busy(error) }
        throw error
    }
}

/// Counts the tries of one upload. It fails after `timeout` without progress.
private struct UploadRetry {
    let pace: AgentClient.UploadPace
    private var lastProgress = ContinuousClock.now
    private var count = 0
    private var tries = 0

    init(pace: AgentClient.UploadPace) { self.pace = pace }

    /// The volume has `count` bytes. Fewer than before are no progress.
    mutating func reached(_ count: Int) {
        if count > self.count {
            lastProgress = .now
            tries = 0
        }
        self.count = count
    }

    mutating func pause(after error: any Error) async throws {
        guard lastProgress.duration(to: .now) < pace.timeout else { throw error }
        try await Task.sleep(for: min(pace.pause * (1 << min(tries, 20)), pace.maxPause))
        tries += 1
    }
}

/// A local file that is sent.
private struct LocalFile: Sendable {
    let path: String
    let size: Int

    private static let pieceSize = 256 << 10

    static func digest(of path: String) throws -> (SHA256Digest, size: Int) {
        var hasher = SHA256Hasher()
        var offset = 0
        while case let bytes = try File.read(path, at: offset, limit: pieceSize), !bytes.isEmpty {
            bytes.withUnsafeBytes { hasher.update($0) }
            offset += bytes.count
        }
        return (hasher.finish(), offset)
    }

    func reader(of range: Range<Int>) -> HTTPRequestBody.Next {
        let position = Position(range.lowerBound)
        return { [path] in
            let rest = range.upperBound - position.offset
            guard rest > 0 else { return nil }
            let bytes = try File.read(path, at: position.offset, limit: min(Self.pieceSize, rest))
            guard !bytes.isEmpty else { throw Problem("\"\(path)\" became shorter while it was sent") }
            position.offset += bytes.count
            return bytes
        }
    }

    /// The next offset. Only the one task that reads uses it.
    private final class Position: @unchecked Sendable {
        var offset: Int

        init(_ offset: Int) { self.offset = offset }
    }
}
