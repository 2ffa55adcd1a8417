import HTTPClient
import RunPod
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite struct RunPodStopRouteTests {
    private func requests(
        of call: RunPodStopRoute.Call, _ way: PodEnd, status: Int = 200
    ) async throws -> (sent: [String], error: (any Error)?) {
        let sent = Mutex<[String]>([])
        let server = try StubServer { connection in
            let request = connection.request
            let body = String(decoding: request.body, as: UTF8.self)
            sent.withLock { $0.append("\(request.method) \(request.target) \(body)") }
            try connection.respond(status, body: #"{"data":{}}"#)
        }
        var addresses = RunPodAddresses()
        addresses.rest = server.url("/v2")
        addresses.graphQL = server.url("/graphql")
        let client = RunPodClient(key: "k", addresses: addresses, transport: CurlTransport(userAgent: "test/1"))
        let route = RunPodStopRoute(call: call, pod: "p1", owner: "the pod's key") { client }
        do {
            try await route.end(way)
            return (sent.withLock { $0 }, nil)
        } catch {
            return (sent.withLock { $0 }, error)
        }
    }

    @Test("each route sends its own request for each way to end")
    func sends() async throws {
        #expect(
            try await requests(of: .action, .stop).sent == [#"POST /v2/pods/p1/action {"action":"stop"}"#])
        #expect(
            try await requests(of: .action, .terminate).sent == [#"POST /v2/pods/p1/action {"action":"terminate"}"#])
        #expect(try await requests(of: .delete, .terminate).sent == ["DELETE /v2/pods/p1 "])
        let graphQL = try await requests(of: .graphQL, .terminate).sent
        #expect(graphQL.count == 1 && graphQL[0].contains("podTerminate") && graphQL[0].contains(#"{"podId":"p1"}"#))
    }

    @Test("a pod that is to be stopped is never deleted")
    func noDelete() async throws {
        let (sent, error) = try await requests(of: .delete, .stop)
        #expect(sent.isEmpty && error != nil)
    }

    @Test("a refusal is an error, and an accepted request is no proof")
    func refusal() async throws {
        #expect(try await requests(of: .action, .stop, status: 403).error != nil)
        let route = RunPodStopRoute(call: .action, pod: "p", owner: "o") {
            RunPodClient(key: "", transport: CurlTransport())
        }
        #expect(!route.isOver())
    }
}
