import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// Commands on a run that trains. Its agent is a stub server on loopback.
@Suite(.timeLimit(.minutes(1))) struct LiveCommandTests {
    private let test: TestWorld
    private let run: RunFixture
    private let log = Array("line 1\nline 2\n".utf8)

    init() throws {
        test = try TestWorld(transport: CurlTransport())
        run = try test.run()
        try run.log(log)
    }

    /// Makes an agent that has claimed the run, serves its log, and then ends with `outcome` unless that is nil. A stop
    /// request ends it as stopped.
    private static func agent(
        _ run: RunFixture, _ log: [UInt8], provider: FakeProvider, endingWith outcome: Outcome?
    ) throws -> StubServer {
        let stops = Mutex<[String]>([])
        let claim = try run.claim()
        try run.record(claim)
        return try StubServer { connection in
            let end = { (outcome: Outcome) in
                try run.end(claim, outcome)
                provider.kill("pod-1")
            }
            let target = connection.request.target
            let record = try #require(try run.folder.readRecord(1))
            let report = try JSON.encode(
                StatusReport(version: "1", attempt: record, logEnd: log.count, logDurable: log.count))
            if target.hasPrefix("/v1/log") {
                let from = Int(target.split(separator: "=").last ?? "") ?? 0
                try connection.sendHead(
                    headers: [("X-Log-Stream", "s1"), ("X-Log-Offset", "\(from)"), ("Connection", "close")])
                try connection.send(Array(log[from...]))
                if let outcome { try end(outcome) }
            } else if target == "/v1/stop" {
                let stop = try JSON.decode(StopRequest.self, from: connection.request.body)
                let words = stop.mode.rawValue + (stop.grace.map { " \($0.inSeconds)" } ?? "")
                stops.withLock { $0.append(words) }
                try connection.respond(200, body: report)
                try end(Outcome(.stopped, message: words))
            } else {
                try connection.respond(200, body: report)
            }
        }
    }

    private static func address(_ agent: StubServer) -> String { "http://127.0.0.1:\(agent.port)" }

    @Test(
        "launch stop passes its mode and grace to the agent and waits for the run's end",
        arguments: [
            (["stop"], "graceful"), (["stop", "--now"], "now"), (["stop", "demo"], "graceful"),
            (["stop", "--grace=2m"], "graceful 120.0"), (["stop", "--grace=1h30m"], "graceful 5400.0"),
        ])
    func stop(arguments: [String], mode: String) async throws {
        let agent = try Self.agent(run, log, provider: test.provider, endingWith: nil)
        test.provider.add(.made(run: run, address: Self.address(agent)))
        let exit =
            arguments.count == 1 ? try await test.launch("stop") : try await test.launch("stop", arguments[1])
        #expect(exit == 0)
        #expect(test.errors.hasPrefix("\n== demo: stopped: \(mode)\n"))
        #expect(test.output == "")
    }

    @Test(
        "launch attach prints the log and exits with the code of the run's outcome",
        arguments: [
            (Outcome.finished, 0), (Outcome(.failed, exit: .code(7)), 7), (Outcome(.failed, exit: .signal(9)), 137),
            (Outcome(.stopped), 130), (Outcome(.interrupted), 143), (Outcome(.setupFailed, message: "m"), 73),
        ] as [(Outcome, Int32)])
    func attach(outcome: Outcome, code: Int32) async throws {
        let agent = try Self.agent(run, log, provider: test.provider, endingWith: outcome)
        test.provider.add(.made(run: run, address: Self.address(agent)))
        #expect(try await test.launch("attach") == code)
        #expect(test.output == log.text)
        #expect(test.errors.hasPrefix("\n== demo: \(outcome.kind.rawValue)"))
    }

    @Test("launch logs -f writes the whole log of a run that fails and exits with 0")
    func followLogs() async throws {
        let agent = try Self.agent(run, log, provider: test.provider, endingWith: Outcome(.failed, exit: .code(7)))
        test.provider.add(.made(run: run, address: Self.address(agent)))
        #expect(try await test.launch("logs", "-f", "-o", "\(test.home)/file") == 0, "the log is whole")
        #expect(try File.read("\(test.home)/file") == log)
        #expect(test.output == "" && test.errors == "")
    }

    @Test("launch logs -f cuts bytes that were lost with a pod off its file")
    func cutFile() async throws {
        let claim = try run.claim()
        try run.record(claim)
        let cut = StubAgent.Answer.error(APIError(.conflict, "lost"), headers: [(APIHeader.logOffset, "4")])
        let agent = try StubAgent([
            .log(Array("0123lost".utf8), .cut), cut,
            .log(Array("0123abc".utf8), stream: "s2") { [test, run] in
                try run.end(claim, .finished)
                test.provider.kill("pod-1")
            },
        ])
        try run.log("0123abc")
        test.provider.add(.made(run: run, address: agent.address))
        #expect(try await test.launch("logs", "-f", "-o", "\(test.home)/file") == 0)
        #expect(try File.read("\(test.home)/file").text == "0123abc")
        #expect(test.errors.hasPrefix("launch: the last 4 bytes of \"\(test.home)/file\" were lost with a pod"))
    }

    private func prepareCreation(endingWith outcome: Outcome?) {
        // The closure does not capture the world: the provider would then keep it alive.
        test.provider.prepareCreation { [run, log, kept, provider = test.provider] order in
            let agent = try Self.agent(run, log, provider: provider, endingWith: outcome)
            kept.withLock { $0.append(agent) }
            try run.spec(order.spec)
            return .made(run: run, launch: order.spec.launch.id, address: Self.address(agent))
        }
    }

    private let kept = Kept()

    /// Agents that live as long as the test.
    private final class Kept: Sendable {
        private let agents = Mutex<[StubServer]>([])
        func withLock(_ body: (inout [StubServer]) -> Void) { agents.withLock { body(&$0) } }
    }

    @Test("launch run follows a new run to its end and exits with its code")
    func runToTheEnd() async throws {
        prepareCreation(endingWith: .finished)
        let config = try test.project("run: demo\ncommand: python train.py\n")
        #expect(try await test.launch("run", config) == 0)
        #expect(test.output == log.text)
        #expect(test.errors.hasPrefix("\n== demo: finished, exit code 0\n"))
    }

    @Test("launch run --detach returns while the run trains, and a second one starts nothing")
    func detached() async throws {
        prepareCreation(endingWith: nil)
        let config = try test.project("run: demo\ncommand: python train.py\n")
        #expect(try await test.launch("run", config, "--detach") == 0)
        #expect(test.output == "")
        #expect(test.errors == "launch: \"demo\" is running; come back with: launch attach demo\n")
        // The second command attaches and starts nothing.
        #expect(try await test.launch("run", config, "--detach") == 0)
        #expect(test.errors.hasSuffix("launch: \"demo\" is training already; attached\n"))
        #expect(test.provider.orders.count == 1)
    }

    @Test("launch run starts nothing for a finished run and says what to do")
    func finishedRun() async throws {
        prepareCreation(endingWith: .finished)
        let config = try test.project("run: demo\ncommand: python train.py\n")
        #expect(try await test.launch("run", config, "--detach") == 0)
        let spec = try #require(try run.folder.spec())
        try run.end(try #require(try run.folder.claims().last), .finished, spec: try spec.fingerprint)
        test.provider.kill("pod-1")
        #expect(try await test.launch("run", config) == 0)
        #expect(
            test.errors.contains(
                "launch: \"demo\" has finished with this config and this code; nothing was started\nhint: "))
        #expect(test.provider.orders.count == 1)
    }
}
