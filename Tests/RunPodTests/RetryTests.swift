import RunPod
import Testing

@Suite struct RetryTests {
    static let pod = #"{"id":"p1","name":"n","status":"RUNNING","new":{"x":1}}"#

    @Test("a GET is repeated after a 5xx and after a cut connection")
    func repeatsReads() async throws {
        let server = try ScriptedRunPod(.problem(502, "bad gateway"), .cut, .init(body: Self.pod))
        #expect(try await server.client.pod("p1")?.status == .running)
        #expect(server.requests.count == 3)
    }

    @Test("a create is sent once, and a lost answer is reported as maybe bought", arguments: [true, false])
    func createsOnce(_ isCut: Bool) async throws {
        let server = try ScriptedRunPod(isCut ? .cut : .problem(500, "internal error"), .init(body: Self.pod))
        let error = await refusal { _ = try await server.client.createPod(.sample) }
        #expect(error?.mayHaveWorked == true)
        #expect(server.requests.count == 1)
    }

    @Test("a create whose answer cannot be read is reported as maybe bought")
    func unreadableCreate() async throws {
        let server = try ScriptedRunPod(.init(status: 201, body: #"{"id":"p1","na"#))
        let error = await refusal { _ = try await server.client.createPod(.sample) }
        #expect(error?.mayHaveWorked == true)
        #expect(error?.kind == .service)
    }

    @Test("a create is repeated after a 429, once the longest empty window is over")
    func repeatsAfterRateLimit() async throws {
        let server = try ScriptedRunPod(
            .problem(
                429, "rate limit exceeded for the minute window",
                headers: [("Retry-After", "0"), ("RateLimit", #""minute";r=0;t=1, "hour";r=2800;t=1812"#)]),
            .init(status: 201, body: Self.pod))
        let start = ContinuousClock.now
        #expect(try await server.client.createPod(.sample).id == "p1")
        #expect(start.duration(to: .now) >= .seconds(1))
    }

    @Test("a create that was refused for certain did not buy")
    func certainRefusal() async throws {
        let server = try ScriptedRunPod(.problem(400, "no instances"))
        let error = await refusal { _ = try await server.client.createPod(.sample) }
        #expect(error?.mayHaveWorked == false)
    }

    @Test("stopping a pod that has ended is no error", arguments: [404, 409])
    func endsTwice(_ status: Int) async throws {
        let server = try ScriptedRunPod(.problem(status, "pod not found"))
        try await server.client.act(.terminate, on: "p1")
    }
}
