import Glibc
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

/// The agent posts notices to the URLs of `notify`, and nothing waits for their servers.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NotifyTests {
    struct Notice: Decodable {
        var event: String
        var run: String
        var attempt: Int
        var launch: String
        var `class`: String?
        var message: String?
        var exitCode: Int?
        var step: Double?
    }

    /// A server that keeps the notices that it gets.
    private final class Hook: Sendable {
        let server: StubServer
        private let bodies: Bodies

        private final class Bodies: Sendable {
            let all = Mutex<[[UInt8]]>([])
        }

        init() throws {
            let bodies = Bodies()
            self.bodies = bodies
            server = try StubServer { connection in
                bodies.all.withLock { $0.append(connection.request.body) }
                try connection.respond(200)
            }
        }

        /// The path has a secret, as in the URLs of chat services.
        var url: String { server.url("/services/T0PSECRET?token=T0PSECRET") }

        var notices: [Notice] {
            get throws { try bodies.all.withLock { try $0.map { try JSON.decode(Notice.self, from: $0) } } }
        }
    }

    private func config(_ site: Site, _ script: String, notify: String, more: String = "") throws {
        try site.write("project/train.py", script)
        try site.config(
            """
            run: told
            code: {path: .}
            command: python3 train.py
            retry: {crash: 0}
            notify: ["\(notify)"]
            \(more)
            """)
    }

    /// Lists the files that contain the URL's secret: volume, pod folder, the programs' output. `.env` is left out.
    private func filesWithSecret(_ site: Site) throws -> String {
        let (_, output) = try Command.run(["grep", "-rl", "T0PSECRET", site.root])
        return output.text.split(separator: "\n").filter { !$0.hasSuffix("/.env") }.joined(separator: "\n")
    }

    @Test("the agent posts one notice with class, exit code and step at the end, and no file keeps the URL's secret")
    func end() async throws {
        try await Site.with { site in
            let hook = try Hook()
            try site.write("project/.env", "HOOK=\(hook.url)\n")
            try config(
                site,
                "import os, sys\nprint('step 7')\nprint([n for n in os.environ if 'POD_AGENT' in n])\nsys.exit(3)",
                notify: "${HOOK}")
            let run = try site.launch("run")
            #expect(try await run.end() == 3)
            try await eventuallyTrue("the notice") { try !hook.notices.isEmpty }
            let status = try await site.status("told")
            let notice = try #require(try hook.notices.first)
            #expect(try hook.notices.count == 1)
            #expect(notice.event == "end")
            #expect(notice.run == "told")
            #expect(notice.attempt == 1)
            #expect(notice.launch == status.attempts[0].launch)
            #expect(notice.class == "failed")
            #expect(notice.message == "it failed without a new checkpoint")
            #expect(notice.exitCode == 3)
            #expect(notice.step == 7)
            #expect(!run.text.contains("POD_AGENT_NOTIFY"))
            #expect(try filesWithSecret(site) == "")
        }
    }

    @Test("the agent posts a notice of the stall and one of the end if a training stalls")
    func stall() async throws {
        try await Site.with { site in
            let hook = try Hook()
            try config(
                site,
                "import time\nfor step in range(6):\n    print(f'step {step}')\n    time.sleep(0.6)\ntime.sleep(600)",
                notify: hook.url, more: "limits: {stall: 2s}")
            let run = try site.launch("run")
            #expect(try await run.end() == 128 + SIGABRT)
            try await eventuallyTrue("both notices") { try hook.notices.count == 2 }
            // Each has a connection of its own, so that they may come in any order.
            let notices = try hook.notices.sorted { $0.event < $1.event }
            #expect(notices.map(\.event) == ["end", "stall"])
            #expect(notices.map(\.class) == ["stalled", "stalled"])
            #expect(notices[1].message?.hasPrefix("no new step for ") == true)
            #expect(notices[1].exitCode == nil)
        }
    }

    @Test("the agent posts one notice of the interruption when its pod gets SIGTERM")
    func interruption() async throws {
        try await Site.with { site in
            let hook = try Hook()
            try config(site, "import time\nprint('step 1')\ntime.sleep(600)", notify: hook.url)
            let run = try site.launch("run")
            try await run.prints("step 1\n")
            kill(try #require(try await site.status("told").pod?.pid), SIGTERM)
            _ = try await run.end()
            try await eventuallyTrue("the notice") { try !hook.notices.isEmpty }
            try await eventuallyTrue("the end of the pod") { try await site.status("told").pod?.isRunning == false }
            let notices = try hook.notices
            #expect(notices.map(\.event) == ["interruption"])
            #expect(notices.map(\.class) == ["interrupted"])
        }
    }

    @Test("the next attempt posts the notice of an attempt whose agent was killed")
    func agentCrash() async throws {
        try await Site.with { site in
            let hook = try Hook()
            let agent = try BareAgent(
                at: site, command: .shell("[ -e ran ] && exit 0; touch ran; echo started; sleep 600"))
            let environment = try agent.environment().merging(
                ["POD_AGENT_NOTIFY": JSON.text([hook.url])], uniquingKeysWith: { $1 })
            let pod = try site.start([Programs.agent], environment: environment)
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            kill(try #require(ProcessStat.all().first { $0.parent == pod.pid }).pid, SIGKILL)
            #expect(try await pod.end() == 137)
            #expect(try hook.notices.isEmpty)
            try await site.start([Programs.agent], environment: environment).check()
            try await eventuallyTrue("both notices") { try hook.notices.count == 2 }
            let notices = try hook.notices.sorted { $0.attempt < $1.attempt }
            #expect(notices.map(\.attempt) == [1, 2])
            #expect(notices.map(\.event) == ["interruption", "end"])
            #expect(notices.map(\.class) == ["agent-crash", "finished"])
            #expect(notices[0].message == "the agent died while it was training")
        }
    }

    /// A follower sees the end as soon as without notices. The pod ends a moment later.
    @Test("the run ends within 2.5 s although the server of notify does not answer", arguments: ["hangs", "refuses"])
    func silentServer(_ way: String) async throws {
        try await Site.with { site in
            let over = StubSignal()
            let server = try StubServer { _ in try over.block() }
            defer { over.fire() }
            let url = way == "hangs" ? server.url("/T0PSECRET") : "http://127.0.0.1:1/T0PSECRET"
            try config(
                site,
                "import os, time\nprint('step 1')\nwhile not os.path.exists(os.environ['SITE'] + '/go'): time.sleep(0.01)",
                notify: "${HOOK}")
            try site.write("project/.env", "HOOK=\(url)\n")
            let run = try site.launch("run")
            try await run.prints("step 1\n")
            let pod = try await site.pod(of: "told")
            let start = ContinuousClock.now
            try site.open("go")
            try await run.check()
            let ended = start.duration(to: .now)
            try await site.isGone(pod, within: .seconds(20))
            let gone = start.duration(to: .now)
            print("timing: a notify server that \(way): the run ended after \(ended), the pod after \(gone)")
            #expect(ended < .seconds(2.5))
            #expect(gone < (way == "hangs" ? .seconds(6) : .seconds(3)))
            #expect(run.text.hasSuffix("step 1\nEXIT_CODE=0\n"))
            #expect(try filesWithSecret(site) == "")
        }
    }

    @Test("the pod ends within 4.5 s of SIGTERM although the server of notify hangs")
    func interruptionWithSilentServer() async throws {
        try await Site.with { site in
            let over = StubSignal()
            let server = try StubServer { _ in try over.block() }
            defer { over.fire() }
            try config(site, "import time\nprint('step 1')\ntime.sleep(600)", notify: server.url())
            let run = try site.launch("run")
            try await run.prints("step 1\n")
            let pod = try await site.pod(of: "told")
            let start = ContinuousClock.now
            kill(pod[0], SIGTERM)
            try await site.isGone([pod[pod.count - 1]])
            try await eventuallyTrue("the record") { try await site.status("told").state == "interrupted" }
            try await site.isGone(pod, within: .seconds(10))
            #expect(start.duration(to: .now) < .seconds(4.5))
            _ = try await run.end()
            #expect(server.accepted == 1)
        }
    }
}
