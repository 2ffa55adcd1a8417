/// Takes the lines of heads and finds the final one. Heads with a status 1xx come before it.
struct HeadParser {
    /// The largest head in bytes.
    static let limit = 256 << 10

    private var head: HTTPHead?
    private var size = 0

    /// Takes one line, with its line end. Returns the head after the empty line that ends it.
    mutating func take(_ line: UnsafeRawBufferPointer) throws(HTTPError) -> HTTPHead? {
        size += line.count
        guard size <= Self.limit else {
            throw HTTPError(.protocolError, "the head of the response is longer than \(Self.limit) bytes")
        }
        let text = Self.trimmed(line)
        if text.starts(with: Array("HTTP/".utf8)) {
            head = try Self.status(text)
            return nil
        }
        if text.isEmpty {
            defer {
                head = nil
                size = 0
            }
            // 101 ends HTTP on this connection, so no other head follows.
            guard let head, head.status >= 200 || head.status == 101 else { return nil }
            return head
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        head?.headers.append(
            name: String(decoding: Self.trimmed(text[..<colon]), as: UTF8.self),
            value: String(decoding: Self.trimmed(text[(colon + 1)...]), as: UTF8.self)
        )
        return nil
    }

    /// `HTTP/1.1 200 OK` (RFC 9112, 4)
    private static func status(_ line: ArraySlice<UInt8>) throws(HTTPError) -> HTTPHead {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, let status = Int(String(decoding: words[1], as: UTF8.self)),
            (100..<1000).contains(status)
        else {
            throw HTTPError(.protocolError, "the status line \"\(String(decoding: line, as: UTF8.self))\" is not HTTP")
        }
        return HTTPHead(status: status)
    }

    private static func trimmed(_ bytes: some Collection<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
        var slice = Array(bytes)[...]
        slice = slice.drop(while: isSpace)
        while let last = slice.last, isSpace(last) { slice.removeLast() }
        return slice
    }
}
