import Foundation
import Synchronization

/// A request as the stub server read it.
public struct StubRequest: Sendable {
    public var method = ""
    public var target = ""
    public var headers: [(name: String, value: String)] = []
    public var body: [UInt8] = []

    /// The first value of the header `name`, compared without case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

public enum StubError: Error {
    case closed
    case gaveUp
    case system(Int32)
}

/// The server's end of one connection. Only the thread of its script may use it, except for `shutDown`.
public final class StubConnection: Sendable {
    /// The time after which a read or a write gives up, so that a failing test ends.
    public static let timeout: Duration = .seconds(20)

    private let socket: Mutex<Int32?>
    private let read = Mutex(StubRequest())

    init(_ socket: Int32) {
        self.socket = Mutex(socket)
    }

    /// The request, with its body.
    public var request: StubRequest { read.withLock { $0 } }

    // MARK: Sending

    public func send(_ bytes: [UInt8]) throws {
        try StubSocket.write(bytes, to: descriptor())
    }

    public func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Sends a whole response with its length.
    public func respond(_ status: Int = 200, headers: [(String, String)] = [], body: String = "") throws {
        try respond(status, headers: headers, body: Array(body.utf8))
    }

    public func respond(_ status: Int, headers: [(String, String)] = [], body: [UInt8]) throws {
        try sendHead(status, headers: headers + [("Content-Length", "\(body.count)")])
        try send(body)
    }

    public func sendHead(_ status: Int = 200, headers: [(String, String)] = []) throws {
        try send("HTTP/1.1 \(status) Stub\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n")
    }

    /// Sends one chunk of a body with `Transfer-Encoding: chunked`. An empty one ends the body.
    public func sendChunk(_ text: String) throws {
        try send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// Writes `bytes` again and again until the client has taken nothing for `quiet`, or `limit` bytes are written.
    ///
    /// - Returns: The number of bytes that the system took, with those in its own buffers.
    public func flood(_ bytes: [UInt8], limit: Int, quiet: Duration) throws -> Int {
        try StubSocket.flood(bytes, into: descriptor(), limit: limit, quiet: quiet)
    }

    /// The next bytes that came; empty at the end of what the client sends.
    public func receive() throws -> [UInt8] { try StubSocket.read(from: descriptor()) }

    // MARK: Ending

    /// Waits until the client has closed its end. Throws `.gaveUp` if it does not.
    public func waitForClose() throws {
        while try !StubSocket.read(from: descriptor()).isEmpty {}
    }

    /// Closes the sending direction only; the server can still receive.
    public func finishSending() throws {
        StubSocket.shutDownSending(try descriptor())
    }

    /// Closes normally, like a server that has sent everything.
    public func close() {
        if let socket = take() { StubSocket.close(socket) }
    }

    /// Closes with a reset, like a machine that went away.
    public func reset() {
        if let socket = take() { StubSocket.reset(socket) }
    }

    /// Ends the script's present read or write. May be called from any thread.
    func shutDown() {
        socket.withLock { $0.map(StubSocket.shutDown) }
    }

    // MARK: -

    func readRequest() throws {
        var bytes: [UInt8] = []
        var end: Int?
        while end == nil {
            let more = try StubSocket.read(from: descriptor())
            guard !more.isEmpty else { throw StubError.closed }
            bytes += more
            end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
        }
        let lines = String(decoding: bytes[..<(end ?? 0)], as: UTF8.self).split(separator: "\r\n")
        var request = StubRequest()
        let words = lines[0].split(separator: " ")
        (request.method, request.target) = (String(words[0]), String(words[1]))
        request.headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
        }
        request.body = Array(bytes[(end ?? 0)...])
        let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
        while request.body.count < length {
            let more = try StubSocket.read(from: descriptor())
            guard !more.isEmpty else { throw StubError.closed }
            request.body += more
        }
        read.withLock { $0 = request }
    }

    private func descriptor() throws -> Int32 {
        guard let socket = socket.withLock({ $0 }) else { throw StubError.closed }
        return socket
    }

    private func take() -> Int32? {
        socket.withLock { socket in
            defer { socket = nil }
            return socket
        }
    }
}
