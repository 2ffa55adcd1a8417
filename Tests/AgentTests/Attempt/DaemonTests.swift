import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The life of an agent with fake children and a fake provider.
@Suite struct DaemonTests {
    private let run: TestRun
    private let route = FakeStopRoute()
    private let attempts = Monitor<[FakeProcesses]>([])

    init() throws { run = try TestRun() }

    private func host(port: Int = 0) throws -> Host {
        Host(address: "127.0.0.1", port: port, stopRoutes: [route], privateVariables: [])
    }

    private func daemon(_ host: Host, _ change: (inout RunSpec) -> Void = { _ in }) throws -> Daemon {
        var spec = run.spec()
        spec.retry = RetryPolicy(crash: 2, backoff: .zero)
        change(&spec)
        let environment = try AgentEnvironment(
            [
                "POD_AGENT_SPEC": try JSON.text(spec), "POD_AGENT_POD_ID": "pod",
                "POD_AGENT_TOKEN_SHA256": SHA256Digest(of: "t").description,
            ], on: host)
        return Daemon(environment: environment, host: host, agent: []) { [attempts] _ in
            let processes = FakeProcesses()
            attempts.update { $0.append(processes) }
            return processes
        }
    }

    /// Returns the children of the attempt once its training runs.
    private func training(_ number: Int) async throws -> FakeProcesses {
        try await eventually("the training of attempt \(number)") {
            let all = attempts.read { $0 }
            return all.count >= number && all[number - 1].isTraining ? all[number - 1] : nil
        }
    }

    @Test("an agent whose training ends well stops the pod and exits with 0")
    func finishes() async throws {
        let daemon = try daemon(try host())
        async let code = daemon.run()
        try await training(1).end(.code(0))
        #expect(await code == 0)
        #expect(route.ends == 1)
        #expect(try run.folders.readRecord(1)?.state == .ended)
        #expect(try run.folders.readRecord(1)?.phases.map(\.state).contains(.preflight) == true)
    }

    @Test("a late event of attempt 1 does not reach attempt 2")
    func lateEvents() async throws {
        let daemon = try daemon(try host())
        async let code = daemon.run()
        let first = try await training(1)
        // The training reports a step, so that it does not fail before its first one.
        first.tail.append(Array("step 5\n".utf8)[...])
        first.end(.code(3))
        let second = try await training(2)
        daemon.post(.superseded, of: 1)
        daemon.post(.trainingEnded(.code(9)), of: 1)
        second.end(.code(0))
        #expect(await code == 0)
        #expect(try run.folders.readRecord(1)?.outcome == Outcome(.failed, exit: .code(3)))
        #expect(try run.folders.readRecord(2)?.outcome == Outcome(.finished, exit: .code(0)))
    }

    @Test("a SIGTERM ends the training fast and leaves the pod to its provider")
    func terminated() async throws {
        let daemon = try daemon(try host())
        async let code = daemon.run()
        let processes = try await training(1)
        daemon.post(.terminated)
        try await eventuallyTrue("the teardown") { processes.calls.contains(.tearDown(.fast)) }
        processes.end(.signal(15))
        #expect(await code == 143)
        #expect(route.ends == 0)
        #expect(processes.calls.last == .killAll)
        #expect(try run.folders.readRecord(1)?.outcome == Outcome(.interrupted, exit: .signal(15)))
    }

    @Test("an agent whose port is taken stops the pod and exits with 71")
    func takenPort() async throws {
        let table = RouteTable(tokenDigest: SHA256Digest(of: "t"), routes: [])
        let server = try await Server(address: "127.0.0.1", port: 0, routes: table)
        let serving = Task { try await server.run() }
        defer { serving.cancel() }
        #expect(try await daemon(try host(port: server.port)).run() == Exit.system.rawValue)
        #expect(route.ends == 1)
        #expect(try run.folders.claims().isEmpty)
    }

    @Test("an agent that cannot claim the run stops the pod and exits with 74")
    func cannotClaim() async throws {
        try File.removeTree(run.folders.attempts)
        try File.replace(run.folders.attempts, with: [])
        #expect(try await daemon(try host()).run() == Exit.output.rawValue)
        #expect(route.ends == 1)
    }
}
