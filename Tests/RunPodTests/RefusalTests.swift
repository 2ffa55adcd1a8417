import RunPod
import Testing

@Suite struct RefusalTests {
    static let texts: [(Int, String, RunPodError.Kind)] = [
        (
            400, "There are no longer any instances available with the requested specifications. Please refresh.",
            .noCapacity
        ),
        (400, "This machine does not have the resources to deploy your pod.", .noCapacity),
        (400, "There are not enough free GPUs on the host machine to start this pod.", .noCapacity),
        (400, "could not find any pods with required specifications", .notOffered),
        (400, "You must either provide a template id or pod configuration parameters", .invalid),
        (401, "missing bearer token", .unauthorized),
        (402, "Your account balance is too low to rent a pod", .lowBalance),
        (403, "access denied", .forbidden),
        (404, "pod not found", .notFound),
        (409, "action not allowed", .conflict),
        (422, "Request validation failed.", .invalid),
        (500, "internal error", .service),
        (503, "no capacity", .service),
    ]

    @Test("a refusal of a create has the kind that its status and text mean", arguments: texts)
    func kinds(_ status: Int, _ detail: String, _ kind: RunPodError.Kind) async throws {
        let server = try ScriptedRunPod(.problem(status, detail))
        let error = await refusal { _ = try await server.client.createPod(.sample) }
        #expect(error?.kind == kind)
        #expect(error?.sentence.contains(detail) == true)
        #expect(error?.requestID == "req-1")
        #expect(server.requests.count == 1)
    }

    @Test("a refusal names the field that RunPod's errors name")
    func namesField() async throws {
        let body = #"""
            {"detail":"Request validation failed.","errors":["$: additional properties 'x' not allowed"],"status":422,\#
            "title":"Unprocessable Entity"}
            """#
        let server = try ScriptedRunPod(.init(status: 422, body: body))
        let error = await refusal { _ = try await server.client.createPod(.sample) }
        #expect(error?.sentence.contains("'x' not allowed") == true)
    }

    @Test("a refused program name is told from a refused key")
    func programName() async throws {
        let server = try ScriptedRunPod(.init(status: 403, body: "error code: 1010"))
        let error = await refusal { _ = try await server.client.pods() }
        #expect(error?.kind == .forbidden)
        #expect(error?.hint?.contains("program's name") == true)
    }

    @Test("GraphQL's errors come with status 200")
    func graphQL() async throws {
        let server = try ScriptedRunPod(
            .init(body: #"{"data":{"podStop":null},"errors":[{"message":"pod not found to terminate"}]}"#))
        let error = await refusal { try await server.client.endByGraphQL("abc", terminates: true) }
        #expect(error?.kind == .notFound)
    }
}
