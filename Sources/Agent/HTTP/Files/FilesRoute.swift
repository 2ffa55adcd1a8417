internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import Shared

/// `GET` and `HEAD /v1/files/PATH`: a file of the volume by range, or a folder as a listing or a tar archive.
struct FilesRoute: Sendable {
    let volume: VolumeAccess
    /// nil if the route only reads the volume.
    var uploads: UploadRoute?

    /// Bytes that one call reads from the volume.
    static let pieceSize = 128 << 10

    var routes: [Route] {
        [Route("GET", RoutePattern(Endpoint.files + "/*"), answer)] + (uploads?.routes ?? [])
    }

    private enum Found: Sendable {
        case file(VolumeAccess.Held<Descriptor>, FileStatus)
        case folder(VolumeAccess.Held<Descriptor>)
    }

    /// The answer to `HEAD` with a `sha256` in the query also has the received bytes of that upload.
    @Sendable private func answer(_ request: Request) async throws -> Response {
        guard request.method == "HEAD", let uploads, let sha256 = try UploadOrder.digest(in: request) else {
            return try await respond(to: request)
        }
        let target = try VolumePath(percentEncoded: request.rest)
        let received = try await uploads.received(of: target, sha256)
        var response: Response
        do { response = try await respond(to: request) } catch let error as APIError { response = .error(error) }
        response.headers.append((APIHeader.uploadOffset, String(received)))
        return response
    }

    private func respond(to request: Request) async throws -> Response {
        let path = try VolumePath(percentEncoded: request.rest)
        let found = try await volume.run { [volume] in
            let place = try volume.folder.open(path)
            let held = volume.hold(place.descriptor)
            return place.status.isFolder ? Found.folder(held) : .file(held, place.status)
        }
        switch found {
        case .file(let file, let status): return respond(to: request, file, status, named: path.text)
        case .folder(let folder): return try await respond(to: request, folder)
        }
    }

    // MARK: - A file

    private func respond(
        to request: Request, _ file: VolumeAccess.Held<Descriptor>, _ status: FileStatus, named name: String
    ) -> Response {
        let tag = status.entityTag.text
        var headers = [
            ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("Cache-Control", "no-cache"),
            (APIHeader.entryKind, FolderEntry.Kind.file.rawValue), ("ETag", tag),
        ]
        if let known = request.headers.first(name: "If-None-Match"), Self.names(tag, in: known), !Self.isYoung(status) {
            return Response(status: 304, headers: headers, body: .bytes([]))
        }
        var range: Range<Int>?
        // A part of another version of the file is useless to the client.
        if request.headers.first(name: "If-Range").map({ $0 == tag }) ?? true {
            do {
                let header = request.headers.first(name: "Range")
                range = try ByteRange.parse(header, end: status.size, of: "\"\(name)\"")
            } catch {
                return .error(error, headers: headers.suffix(2) + [("Content-Range", "bytes */\(status.size)")])
            }
        }
        if let range {
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(status.size)"))
        }
        let wanted = range ?? 0..<status.size
        return Response(
            status: range == nil ? 200 : 206, headers: headers,
            body: .stream(length: wanted.count) { try await copy(wanted, of: file, into: $0) })
    }

    /// Whether the file changed so shortly ago that it can change once more within the same tick of the clock, which
    /// leaves its time as it is.
    private static func isYoung(_ status: FileStatus) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return status.modified > (now.tv_sec - 2) * 1_000_000_000
    }

    private static func names(_ tag: String, in header: String) -> Bool {
        header.trimmed == "*" || header.split(separator: ",").contains { $0.trimmed == tag || $0.trimmed == "W/" + tag }
    }

    /// Ends the connection if the file became shorter, so that no client takes the response for complete.
    private func copy(
        _ range: Range<Int>, of file: VolumeAccess.Held<Descriptor>, into writer: ResponseWriter
    ) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            try Task.checkCancellation()
            let (start, count) = (offset, min(Self.pieceSize, range.upperBound - offset))
            let piece = try await volume.run { try file.value.read(at: start, count: count) }
            guard piece.readableBytes > 0 else { throw Problem("the file ends at byte \(offset)") }
            try await writer.write(piece)
            offset += piece.readableBytes
        }
    }

    // MARK: - A folder

    private func respond(to request: Request, _ folder: VolumeAccess.Held<Descriptor>) async throws -> Response {
        let format = request.query["format"] ?? "ndjson"
        guard let type = ["ndjson": "application/x-ndjson", "tar": "application/x-tar"][format] else {
            throw APIError(.badRequest, "\"format=\(format)\" is not a form of a folder", hint: "such as format=tar")
        }
        let headers = [
            ("Content-Type", type), ("Cache-Control", "no-store"),
            (APIHeader.entryKind, FolderEntry.Kind.folder.rawValue),
        ]
        let pieces: VolumeAccess.Held<any FolderPieces> = try await volume.run { [volume] in
            let isTar = format == "tar"
            let pieces: any FolderPieces = isTar ? try FolderTar(folder.value) : try FolderListing(folder.value)
            return volume.hold(pieces)
        }
        return Response(
            headers: headers,
            body: .stream(length: nil) { writer in
                while let piece = try await volume.run({ try pieces.value.next() }) {
                    try await writer.write(ByteBuffer(bytes: piece))
                }
            })
    }
}

/// One representation of a folder, in pieces. Each call blocks.
protocol FolderPieces: Sendable {
    /// Returns the next bytes, at least one; nil at the end.
    func next() throws -> [UInt8]?
}

extension Descriptor {
    /// Reads up to `count` bytes from `offset` on; fewer at the end of the file.
    func read(at offset: Int, count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        }
        return buffer
    }
}
