internal import NIOCore
internal import Shared

/// `PUT /v1/files/PATH` and `PUT /v1/code/SHA256`: takes a file in parts, and puts the complete file in its place.
struct UploadRoute: Sendable {
    /// Bytes that one call writes to the volume.
    private static let pieceSize = 256 << 10
    /// The timeout for a write of one piece, or a rename.
    private static let writeTimeout: Duration = .seconds(30)
    /// The timeout for the sync of the whole file.
    private static let syncTimeout: Duration = .seconds(600)

    let volume: VolumeAccess
    private let targets = UploadTargets()

    init(volume: VolumeAccess) { self.volume = volume }

    var routes: [Route] {
        [
            Route("PUT", RoutePattern(Endpoint.files + "/*"), bodyLimit: .max) { try await putFile($0) },
            Route("PUT", RoutePattern(Endpoint.code + "/*"), bodyLimit: .max) { try await putCode($0) },
            Route("HEAD", RoutePattern(Endpoint.code + "/*")) { try await headCode($0) },
        ]
    }

    private func putFile(_ request: Request) async throws -> Response {
        let target = try VolumePath(percentEncoded: request.rest)
        guard let sha256 = try UploadOrder.digest(in: request) else {
            throw APIError(.badRequest, "\"sha256\" is missing", hint: "PUT …?offset=N&size=TOTAL&sha256=HEX")
        }
        guard !target.components.isEmpty else { throw APIError(.badRequest, "the volume's root is not a file") }
        return try await receive(
            try UploadOrder(request, target: target, sha256: sha256), request.body, refusing: \.isAgentsOwn)
    }

    // MARK: - Code

    private func putCode(_ request: Request) async throws -> Response {
        let sha256 = try UploadOrder.digest(request.rest)
        let order = try UploadOrder(request, target: pack(sha256), sha256: sha256)
        return try await receive(order, request.body) { _ in false }
    }

    private func headCode(_ request: Request) async throws -> Response {
        let sha256 = try UploadOrder.digest(request.rest)
        let target = pack(sha256)
        let isThere = try await volume.run { [volume] in (try? volume.folder.open(target))?.status.isFile == true }
        return Response(
            status: isThere ? 200 : APIError.Code.notFound.status,
            headers: [(APIHeader.uploadOffset, String(try await received(of: target, sha256)))], body: .bytes([]))
    }

    private func pack(_ sha256: SHA256Digest) -> VolumePath {
        let path = Volume(root: "").pack(PackedCode(sha256: sha256.description, size: 0))
        return VolumePath(path.split(separator: "/").map { Array($0.utf8) })
    }

    // MARK: - Receiving

    /// Returns the number of bytes that the volume has of an incomplete upload.
    func received(of target: VolumePath, _ sha256: SHA256Digest) async throws -> Int {
        try await volume.run { [volume] in
            let name = UploadOrder.stagingName(of: target, sha256)
            let staging = VolumePath(Upload.folder.components + [name])
            do { return try volume.folder.open(staging).status.size } catch let error as APIError
                where error.code == .notFound
            { return 0 }
        }
    }

    private func receive(
        _ order: UploadOrder, _ body: RequestBody, refusing: @escaping @Sendable (VolumePath) -> Bool
    ) async throws -> Response {
        do {
            return try await receivePart(order, body, refusing: refusing)
        } catch is UploadTargets.Busy {
            let error = APIError(
                .conflict, "another upload of \"\(order.target.text)\" is under way", hint: "ask again in a minute")
            return .error(error, headers: [("Retry-After", "1")])
        }
    }

    private func receivePart(
        _ order: UploadOrder, _ body: RequestBody, refusing: @escaping @Sendable (VolumePath) -> Bool
    ) async throws -> Response {
        let upload = try await volume.run(within: Self.writeTimeout) { [volume, targets] in
            volume.hold(try Upload(order, in: volume.folder, targets: targets, refusing: refusing))
        }
        do {
            let response = try await receivePart(body, into: upload)
            // Before the answer: the client may send the next part at once.
            upload.value.release()
            return response
        } catch let error as APIError where error.code != .unavailable {
            upload.value.release()
            throw error
        }
    }

    private func receivePart(_ body: RequestBody, into upload: VolumeAccess.Held<Upload>) async throws -> Response {
        let order = upload.value.order
        let received = upload.value.received
        if received == 0, order.offset == order.size, order.size > 0, try await isThere(upload) {
            return Self.response(201, received: order.size)
        }
        guard received == order.offset else {
            let error = APIError(.conflict, "the volume has \(received) bytes of this upload, not \(order.offset)")
            return .error(error, headers: [(APIHeader.uploadOffset, String(received))])
        }
        let end = try await append(body, to: upload)
        if end < order.size { return Self.response(202, received: end) }
        try await finish(upload)
        return Self.response(201, received: end)
    }

    private static func response(_ status: Int, received: Int) -> Response {
        Response(status: status, headers: [(APIHeader.uploadOffset, String(received))], body: .bytes([]))
    }

    /// Returns the offset after the last byte. Bytes that came before the connection broke are kept.
    private func append(_ body: RequestBody, to upload: VolumeAccess.Held<Upload>) async throws -> Int {
        let order = upload.value.order
        var offset = order.offset
        var isOver = false
        while !isOver {
            var bytes = ByteBuffer()
            var failure: (any Error)?
            do {
                while bytes.readableBytes < Self.pieceSize, !isOver {
                    if let piece = try await body.next() { bytes.writeImmutableBuffer(piece) } else { isOver = true }
                }
            } catch {
                failure = error
            }
            guard bytes.readableBytes <= order.size - offset else { throw order.tooLong }
            let (start, piece) = (offset, bytes)
            try await volume.run(within: Self.writeTimeout) { try upload.value.write(piece, at: start) }
            offset += bytes.readableBytes
            if let failure { throw failure }
        }
        return offset
    }

    /// Checks all bytes of the upload from stable storage and puts it in its place.
    private func finish(_ upload: VolumeAccess.Held<Upload>) async throws {
        let order = upload.value.order
        try await volume.run(within: Self.syncTimeout) { try upload.value.sync() }
        let digest = try await digest(of: upload.value.file)
        guard digest == order.sha256 else {
            try await volume.run(within: Self.writeTimeout) { try upload.value.discard() }
            throw APIError(
                .checksumMismatch, "the \(order.size) bytes have the SHA-256 \(digest), not \(order.sha256)",
                hint: "the upload begins again at byte 0")
        }
        try await volume.run(within: Self.writeTimeout) { try upload.value.place() }
    }

    /// Whether the target already has the bytes of the upload. The client may not have received the earlier response.
    private func isThere(_ upload: VolumeAccess.Held<Upload>) async throws -> Bool {
        guard let existing = upload.value.existing else { return false }
        if !upload.value.wasPlaced, try await digest(of: existing) != upload.value.order.sha256 { return false }
        try await volume.run(within: Self.writeTimeout) { try upload.value.discard() }
        return true
    }

    /// `file` belongs to an upload that is held.
    private func digest(of file: Descriptor) async throws -> SHA256Digest {
        let hash = FileHash(of: file)
        while true {
            if let digest = try await volume.run(within: Self.writeTimeout, hash.next) { return digest }
        }
    }
}
