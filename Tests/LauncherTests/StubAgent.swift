import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

/// The log of an agent's API, on a port of its own. Each request gets the next prepared answer.
final class StubAgent: Sendable {
    /// A follower's request.
    struct Asked: Sendable, Equatable {
        var from: Int
        var stream: String?

        init(_ from: Int, _ stream: String? = nil) {
            self.from = from
            self.stream = stream
        }
    }

    struct Answer: Sendable {
        let give: @Sendable (Asked, StubConnection) throws -> Void
    }

    private let server: StubServer
    private let kept: Kept

    /// A request beyond the last answer fails the test.
    convenience init(_ answers: [Answer]) throws {
        let rest = Mutex(answers[...])
        try self.init { asked, connection in
            guard let answer = rest.withLock({ $0.popFirst() }) else {
                Issue.record("byte \(asked.from) was asked for, and no answer was prepared for that")
                return try connection.respond(500)
            }
            try answer.give(asked, connection)
        }
    }

    init(_ answer: @escaping @Sendable (Asked, StubConnection) throws -> Void) throws {
        let kept = Kept()
        self.kept = kept
        server = try StubServer { connection in
            let url = URLComponents(string: connection.request.target)
            let query = Dictionary((url?.queryItems ?? []).map { ($0.name, $0.value) }) { $1 }
            #expect(url?.path == "/v1/log" && query["follow"] == "1", "\(connection.request.target)")
            #expect(connection.request.header("Authorization") == "Bearer token of launch-1")
            let asked = Asked((query["from"] ?? nil).flatMap { Int($0) } ?? -1, query["stream"] ?? nil)
            kept.asked.withLock { $0.append(asked) }
            try answer(asked, connection)
        }
    }

    var address: String { "http://127.0.0.1:\(server.port)" }

    /// The requests so far.
    var asked: [Asked] { kept.asked.withLock { $0 } }

    private final class Kept: Sendable {
        let asked = Mutex<[Asked]>([])
    }
}

extension StubAgent.Answer {
    enum End {
        /// The response ends in good order, as the agent ends it after a minute.
        case clean
        /// The connection closes without the last chunk, as at a proxy's timeout.
        case cut
        /// The connection is reset, as when a machine disappears.
        case reset
        /// The response stays open.
        case open

        /// The ways in which a response ends.
        static let all: [End] = [.clean, .cut, .reset]
    }

    /// Sends the bytes of `log` from the requested one up to `end`, in chunks of `size` bytes.
    static func log(
        _ log: [UInt8], to end: Int? = nil, stream: String = "s1", _ ending: End = .clean, size: Int = 1 << 16,
        then: @escaping @Sendable () throws -> Void = {}
    ) -> Self {
        Self { asked, connection in
            try connection.sendHead(
                headers: [
                    ("Transfer-Encoding", "chunked"), (APIHeader.logStream, stream),
                    (APIHeader.logOffset, "\(asked.from)"),
                ])
            var rest = log[asked.from..<max(asked.from, end ?? log.count)]
            while !rest.isEmpty {
                let piece = rest.prefix(size)
                rest = rest.dropFirst(size)
                try connection.send(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8))
            }
            try then()
            switch ending {
            case .clean: try connection.send("0\r\n\r\n")
            case .cut, .open: break
            case .reset: connection.reset()
            }
        }
    }

    static func error(_ error: APIError, headers: [(String, String)] = []) -> Self {
        Self { _, connection in
            try connection.respond(error.code.status, headers: headers, body: try JSON.encode(error))
        }
    }

    /// The connection ends without a byte.
    static let silence = Self { _, _ in }
}
