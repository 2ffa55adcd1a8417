import HTTPClient
import Shared
import Synchronization
import Testing

/// A transport that fails the test at any request.
struct UnpreparedTransport: HTTPTransport {
    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange {
        Issue.record("\(request.method) \(request.url) was asked for, and nothing was prepared for that")
        throw HTTPError(.invalidRequest, "not prepared")
    }
}

/// Answers requests without a network, and records them.
final class FakeTransport: HTTPTransport {
    typealias Answer = @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse

    private let answer: Answer
    private let kept = Mutex<[HTTPRequest]>([])

    var requests: [HTTPRequest] { kept.withLock { $0 } }

    init(_ answer: @escaping Answer) { self.answer = answer }

    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange {
        kept.withLock { $0.append(request) }
        let response = try answer(request)
        let rest = Mutex<[UInt8]?>(response.body.isEmpty ? nil : response.body)
        return HTTPExchange(
            head: response.head,
            body: HTTPBody { () throws(HTTPError) in
                rest.withLock { rest in
                    defer { rest = nil }
                    return rest
                }
            })
    }
}

extension HTTPResponse {
    static func text(_ status: Int, _ text: String, headers: HTTPHeaders = [:]) -> HTTPResponse {
        HTTPResponse(head: HTTPHead(status: status, headers: headers), body: Array(text.utf8))
    }

    /// An agent's status report about the attempt of `record`.
    static func status(of record: AttemptRecord) -> HTTPResponse {
        let report = StatusReport(version: "1", attempt: record, logEnd: 0, logDurable: 0)
        return HTTPResponse(head: HTTPHead(status: 200), body: (try? JSON.encode(report)) ?? [])
    }
}
