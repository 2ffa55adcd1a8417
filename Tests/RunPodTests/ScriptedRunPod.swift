import HTTPClient
import RunPod
import Synchronization
import TestSupport

/// A server that gives one prepared answer after the other, and remembers the requests.
final class ScriptedRunPod: Sendable {
    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body = ""
        /// The connection is closed before the answer.
        var isCut = false

        static let cut = Answer(isCut: true)

        static func problem(_ status: Int, _ detail: String, headers: [(String, String)] = []) -> Answer {
            Answer(
                status: status,
                headers: [("Content-Type", "application/problem+json"), ("x-request-id", "req-1")] + headers,
                body: #"{"detail":"\#(detail)","status":\#(status),"title":"Refused"}"#)
        }
    }

    private let server: StubServer
    private let state: Exchanges

    private final class Exchanges: Sendable {
        let answers: Mutex<[Answer]>
        let requests = Mutex<[StubRequest]>([])

        init(_ answers: [Answer]) { self.answers = Mutex(answers) }
    }

    init(_ answers: Answer...) throws {
        let state = Exchanges(answers)
        self.state = state
        server = try StubServer { connection in
            state.requests.withLock { $0.append(connection.request) }
            let answer = state.answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let answer, !answer.isCut else { return }
            try connection.respond(answer.status, headers: answer.headers, body: answer.body)
        }
    }

    var requests: [StubRequest] { state.requests.withLock { $0 } }

    var client: RunPodClient {
        var addresses = RunPodAddresses()
        addresses.rest = server.url("/v2")
        addresses.graphQL = server.url("/graphql")
        var pace = RunPodClient.Pace()
        pace.pause = .milliseconds(1)
        return RunPodClient(
            key: "key", addresses: addresses, transport: CurlTransport(userAgent: "test/1"), pace: pace)
    }
}

/// The error of a call that has to fail.
func refusal(_ body: () async throws -> Void) async -> RunPodError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? RunPodError
    }
}

extension PodCreation {
    static let sample = PodCreation(
        name: "digits", image: "image@sha256:1", gpu: GPU(id: "NVIDIA L40S", count: 1), cloud: .secure, disk: 50,
        ports: ["8000/http"], env: ["A": "1"])
}
