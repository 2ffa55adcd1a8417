import Glibc
import Shared
import TestSupport
import Testing

@Suite("runs that outlive their terminal", .serialized, .timeLimit(.minutes(2))) struct LeavingTests {
    private static let config = """
        run: away
        command: |
          echo started
          until [ -e "$SITE/go" ]; do sleep 0.02; done
          echo went on
        """

    @Test(
        "the run trains on after its terminal has closed, and launch attach shows it to the end",
        arguments: [SIGHUP, SIGKILL])
    func closedTerminal(signal: Int32) async throws {
        try await Site.with { site in
            try site.config(Self.config)
            let launch = try site.launch("run")
            try await launch.prints("started\n")
            launch.sendToSession(signal)
            #expect(try await launch.end() == 128 + signal)
            #expect(try await site.status("away").state == "training")

            let attach = try site.launch("attach", "away")
            try await attach.prints("started\n")
            try site.open("go")
            try await attach.check()
            #expect(attach.text.hasSuffix("started\nwent on\nEXIT_CODE=0\n"))
            let logs = try site.launch("logs", "away")
            try await logs.check()
            #expect(logs.output == (try site.log("away")))
            #expect(try await site.status("away").state == "finished")
        }
    }

    @Test("Ctrl-C leaves the run training, and launch says how to come back", arguments: ["run", "attach"])
    func controlC(command: String) async throws {
        try await Site.with { site in
            try site.config(Self.config)
            if command == "attach" { try await site.launch("run", "--detach").check() }
            let launch = try site.launch(command)
            try await launch.prints("started\n")
            launch.sendToSession(SIGINT)
            #expect(try await launch.end() == 130)
            #expect(launch.errors.hasSuffix("launch: \"away\" keeps running; come back with: launch attach away\n"))
            #expect(try await site.status("away").state == "training")
            try site.open("go")
            try await site.reaches("finished", "away")
        }
    }

    @Test("launch run --detach returns without output, and the run trains on")
    func detach() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            let launch = try site.launch("run", "--detach")
            try await launch.check()
            #expect(launch.output == [])
            #expect(launch.errors.hasSuffix("launch: \"away\" is running; come back with: launch attach away\n"))
            try await site.reaches("training", "away")
            try site.open("go")
            try await site.reaches("finished", "away")
        }
    }
}
