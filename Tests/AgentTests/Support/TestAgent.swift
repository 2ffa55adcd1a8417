import HTTPClient
import Shared
import Synchronization
import TestSupport

@testable import Agent

/// The server of an attempt on a real socket, without a training.
final class TestAgent: Sendable {
    static let token = "the token"

    let run: TestRun
    let router: Router
    let server: Server
    let transport = PatientTransport()
    private let serving = Mutex<Task<Void, any Error>?>(nil)

    init(run: TestRun, limits: ServerLimits = ServerLimits()) async throws {
        self.run = run
        let told = Monitor<[Event]>([])
        self.told = told
        router = Router(tokenDigest: SHA256Digest(of: Self.token), volume: run.volume.root) { event in
            told.update { $0.append(event) }
        }
        server = try await Server(address: "127.0.0.1", port: 0, routes: router.table, limits: limits)
        serving.withLock { serving in serving = Task { [server] in try await server.run() } }
    }

    private let told: Monitor<[Event]>

    /// The events that the routes passed to the daemon.
    var tells: [Event] { told.update { $0 } }

    var address: String { "http://127.0.0.1:\(server.port)" }

    func client(token: String = TestAgent.token) -> AgentClient {
        AgentClient(address: address, token: token, transport: transport)
    }

    /// Opens the attempt of `claim`, as the daemon does.
    func open(_ claim: Claim) throws -> OpenAttempt {
        let work = try OpenAttempt.open(claim, spec: run.spec(), run: run.folders, volume: VolumeWriter())
        router.announce(work.journal)
        router.serve(work)
        return work
    }

    /// Sends a request with the token and with `headers`.
    func send(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        limit: Int = 16 << 20
    ) async throws -> HTTPResponse {
        let token = [(name: APIHeader.token, value: Self.token)]
        return try await transport.send(
            HTTPRequest(method, address + path, headers: token + headers, body: body), limit: limit)
    }

    deinit { serving.withLock { $0?.cancel() } }
}

/// A transport with long timeouts, for a machine whose few threads are all taken by other tests.
struct PatientTransport: HTTPTransport {
    private let transport = CurlTransport()

    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange {
        var request = request
        request.timeouts = HTTPTimeouts(connect: .seconds(60), idle: .seconds(60), total: nil)
        return try await transport.open(request)
    }
}
