import ArgumentParser
import Foundation
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

@Suite("Every command gives the same answer about an agent that cannot be seen from here", .timeLimit(.minutes(1)))
struct UnseenOwnerTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
        try run.log("line 1\n")
    }

    /// Changes the heartbeat ten times a second until the test ends.
    private func beating() -> Task<Void, any Error> {
        Task { [run] in
            for count in 1... {
                let beat = Beat(count: count, at: Date(), seconds: Double(count), step: nil)
                try File.replace(run.folder.beatPath(1), with: try JSON.encode(beat))
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func claim(address: String? = nil) throws -> Claim {
        let claim = try run.claim(process: .elsewhere(), address: address)
        try run.record(claim)
        return claim
    }

    @Test("status and ls say unknown while the heartbeat stands still", arguments: [false, true])
    func still(hasPod: Bool) async throws {
        _ = try claim()
        if hasPod { test.provider.add(.unseen(run: run)) }
        #expect(try await test.launch("status") == 0)
        #expect(
            test.output.contains("state    unknown\n") || test.output.contains("state  unknown\n"), "\(test.output)")
        #expect(try await test.launch("ls") == 0)
        #expect(test.output.contains("demo  unknown  1 "), "\(test.output)")
    }

    @Test(
        "logs -f, attach and stop exit with 70 while the heartbeat stands still",
        arguments: [["logs", "-f"], ["attach"], ["stop"]])
    func unknown(arguments: [String]) async throws {
        _ = try claim()
        let code =
            arguments.count == 1
            ? try await test.launch(arguments[0]) : try await test.launch(arguments[0], arguments[1])
        #expect(code == 70)
        if arguments != ["stop"] { #expect(test.output == "line 1\n") }
    }

    @Test("status and ls say training while the heartbeat changes") func beats() async throws {
        _ = try claim()
        let beats = beating()
        defer { beats.cancel() }
        #expect(try await test.launch("status") == 0)
        #expect(test.output.contains("  training\n"), "\(test.output)")
        #expect(try await test.launch("ls") == 0)
        #expect(test.output.contains("demo  training  1 "), "\(test.output)")
    }

    @Test("a follower without an agent's address copies the log from the volume") func follow() async throws {
        let claim = try claim()
        let beats = beating()
        defer { beats.cancel() }
        let following = Task { try await test.launch("attach") }
        try await eventuallyTrue("the first line") { test.output == "line 1\n" }
        try run.log("line 1\nline 2\n")
        try await eventuallyTrue("the second line") { test.output == "line 1\nline 2\n" }
        try run.end(claim, .finished)
        #expect(try await following.value == 0)
        #expect(test.errors.contains("== demo: finished"))
    }

    @Test("stop reaches the agent by the address in its claim") func stop() async throws {
        let asked = Mutex(0)
        let agent = try StubServer { [run] connection in
            #expect(connection.request.target == "/v1/stop")
            #expect(connection.request.header("Authorization") == "Bearer token of launch-1")
            asked.withLock { $0 += 1 }
            let record = try #require(try run.folder.readRecord(1))
            try run.end(try #require(try run.folder.claims().last), Outcome(.stopped))
            try connection.respond(
                200, body: try JSON.encode(StatusReport(version: "1", attempt: record, logEnd: 7, logDurable: 7)))
        }
        _ = try claim(address: "http://127.0.0.1:\(agent.port)")
        let beats = beating()
        defer { beats.cancel() }
        #expect(try await test.launch("stop") == 0)
        #expect(asked.withLock { $0 } == 1)
        #expect(test.errors.contains("== demo: stopped"))
    }

    /// An agent that belongs to another `$LAUNCH_HOME`, whose key this one does not have.
    private func refusingAgent() throws -> StubServer {
        try StubServer { connection in
            try connection.respond(
                401, headers: [(APIHeader.agent, "1")],
                body: try JSON.encode(APIError(.unauthorized, "the token is not this launch's")))
        }
    }

    @Test("a follower copies the log from the volume if the agent refuses its token") func followRefused() async throws
    {
        let agent = try refusingAgent()
        let claim = try run.claim(process: try .alive(), address: "http://127.0.0.1:\(agent.port)")
        try run.record(claim)
        let following = Task { try await test.launch("attach") }
        try await eventuallyTrue("the first line") { test.output == "line 1\n" && agent.accepted > 0 }
        try run.log("line 1\nline 2\n")
        try await eventuallyTrue("the second line") { test.output == "line 1\nline 2\n" }
        try run.end(claim, .finished)
        #expect(try await following.value == 0)
    }

    @Test("stop says where to stop a run whose agent refuses its token") func stopRefused() async throws {
        let agent = try refusingAgent()
        try run.record(try run.claim(process: try .alive(), address: "http://127.0.0.1:\(agent.port)"))
        #expect(try await test.launch("stop") == 69)
        #expect(
            test.errors == """
                launch: the agent of "demo" cannot be reached from here: the token is not this launch's
                hint: stop it where it was started

                """)
    }

    @Test("stop says where to stop a run whose agent has no address") func stopWithoutAddress() async throws {
        _ = try claim()
        let beats = beating()
        defer { beats.cancel() }
        #expect(try await test.launch("stop") == 69)
        #expect(
            test.errors == """
                launch: the agent of "demo" cannot be reached from here
                hint: stop it where it was started

                """)
    }

    @Test("run attaches while the heartbeat changes") func attaches() async throws {
        let yaml = "run: demo\ncommand: python train.py\n"
        let config = try test.config(yaml)
        try run.spec(
            config.spec(
                project: try await ProjectIdentity(of: config).text, code: nil,
                volume: test.provider.volume.root, launch: LaunchOrder(id: "launch-1")))
        _ = try claim()
        let beats = beating()
        defer { beats.cancel() }
        #expect(try await test.launch("run", try test.project(yaml), "--detach") == 0)
        #expect(test.errors == "launch: \"demo\" is training already; attached\n")
        #expect(test.provider.orders.isEmpty)
    }

    @Test("a provider that fails hides no run of the others and is reported") func failingProvider() async throws {
        try run.end(try run.claim(), .finished)
        let broken = FakeProvider(volume: Volume(root: "\(test.home)/none"))
        broken.fail(Problem("the key is refused"))
        var world = test.world
        world.providers = Providers(all: [broken, test.provider])
        let found = try await Runs(world: world).find("demo")
        #expect(found.state == .ended(.finished))
        #expect(test.errors == "launch: the key is refused\n")
        let failure = try await #require(throws: Failure.self) { try await Runs(world: world).find("other") }
        #expect(failure.exit == .unavailable)
        let list = try #require(try Launcher.parseAsRoot(["ls"]) as? List)
        await #expect(throws: (any Error).self) { try await list.run(in: world) }
        #expect(test.output.contains("demo  finished"))
    }
}
