import Foundation
import RunPod
import TestSupport
import Testing

@Suite struct PodListTests {
    private func page(_ ids: [String], next: String?) -> ScriptedRunPod.Answer {
        let pods = ids.map { #"{"id":"\#($0)","name":"n","status":"EXITED"}"# }.joined(separator: ",")
        let cursor = next.map { "\"\($0)\"" } ?? "null"
        return .init(
            body: #"{"pagination":{"hasNextPage":\#(next != nil),"nextCursor":\#(cursor)},"pods":[\#(pods)]}"#)
    }

    @Test("the list goes through all pages, short ones too")
    func pages() async throws {
        let server = try ScriptedRunPod(
            page(["a", "b"], next: "c/1"), page([], next: "c2"), page(["c"], next: nil))
        #expect(try await server.client.pods().map(\.id) == ["a", "b", "c"])
        #expect(server.requests[1].target == "/v2/pods?limit=1000&cursor=c%2F1")
    }

    @Test("the list ends at a cursor that comes again")
    func repeatedCursor() async throws {
        let server = try ScriptedRunPod(page(["a"], next: "c"), page(["b"], next: "c"))
        #expect(try await server.client.pods().map(\.id) == ["a", "b"])
    }

    @Test("a pod's unknown fields and words are harmless")
    func unknownFields() async throws {
        let server = try ScriptedRunPod(
            .init(
                body: #"""
                    {"actions":["fly"],"createdAt":"2026-08-20T10:00:00.123Z","cost":0.74,"id":"p1","name":"n",\#
                    "runtime":{"uptime":7,"ports":[{"ip":null}]},"status":"HIBERNATING"}
                    """#))
        let pod = try await server.client.pod("p1")
        #expect(pod?.status == .other("HIBERNATING"))
        #expect(pod?.runtime?.uptime == 7)
        let seconds = try #require(pod?.createdAt?.date?.timeIntervalSince1970)
        #expect(abs(seconds - 1_787_220_000.123) < 0.000_5)
    }

    @Test("every request names the key, and the body of a create has sorted keys")
    func requests() async throws {
        let server = try ScriptedRunPod(.init(status: 201, body: RetryTests.pod))
        _ = try await server.client.createPod(.sample)
        let request = server.requests[0]
        #expect(request.header("Authorization") == "Bearer key")
        #expect(request.header("User-Agent") == "test/1")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"cloud":"SECURE","disk":50,"env":{"A":"1"},"gpu":{"count":1,"id":"NVIDIA L40S"},"#
                + #""image":"image@sha256:1","name":"digits","ports":["8000/http"]}"#)
    }
}
