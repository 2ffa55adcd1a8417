internal import Shared

/// One part of an upload, as a request describes it.
struct UploadOrder: Sendable {
    /// The file that the upload makes or replaces.
    let target: VolumePath
    /// The SHA-256 of the whole file.
    let sha256: SHA256Digest
    /// Bytes of the whole file.
    let size: Int
    /// The offset of the part's first byte in the file.
    let offset: Int

    /// Reads `offset` and `size` of the query.
    init(_ request: Request, target: VolumePath, sha256: SHA256Digest) throws(APIError) {
        self.target = target
        self.sha256 = sha256
        offset = try Self.number("offset", in: request)
        size = try Self.number("size", in: request)
        guard offset <= size else {
            throw APIError(.badRequest, "\"offset=\(offset)\" is beyond \"size=\(size)\"")
        }
        if let length = request.body.length, length > size - offset { throw tooLong }
    }

    var tooLong: APIError { APIError(.badRequest, "the body goes beyond \"size=\(size)\"") }

    /// The name of the staging file. It is the same for each part, and after a restart of the agent.
    var stagingName: [UInt8] { Self.stagingName(of: target, sha256) }

    static func stagingName(of target: VolumePath, _ sha256: SHA256Digest) -> [UInt8] {
        let path = Array(target.components.joined(separator: [UInt8(ascii: "/")]))
        return Array("\(SHA256Digest(of: path + sha256.bytes)).part".utf8)
    }

    /// Returns the `sha256` of the query; nil if there is none.
    static func digest(in request: Request) throws(APIError) -> SHA256Digest? {
        guard let text = request.query["sha256"] else { return nil }
        return try digest(text)
    }

    static func digest(_ text: String) throws(APIError) -> SHA256Digest {
        if let digest = SHA256Digest(hexadecimal: text) { return digest }
        throw APIError(.badRequest, "\"sha256=\(text)\" is not a SHA-256 in hexadecimal")
    }

    private static func number(_ name: String, in request: Request) throws(APIError) -> Int {
        if let number = try request.number(name) { return number }
        throw APIError(.badRequest, "\"\(name)\" is missing", hint: "PUT …?offset=N&size=TOTAL&sha256=HEX")
    }
}
