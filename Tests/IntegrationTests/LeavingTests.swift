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

    @Test("launch runs with its standard descriptors closed, and writes into no file of its own")
    func closedDescriptors() async throws {
        try await Site.with { site in
            try site.config("run: away\ncommand: echo trained\n")
            let shell = try site.start(["sh", "-c", "\"$0\" run <&- >&- 2>&-", Programs.launch])
            #expect(try await shell.end() == 0)
            #expect(try site.log("away").text.hasSuffix("trained\nEXIT_CODE=0\n"))
            #expect(try await site.status("away").state == "finished")
        }
    }

    @Test("Ctrl-C has no effect on a follower whose parent ignores it")
    func ignoredInterrupt() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            let launch = try site.start(["sh", "-c", "trap '' INT; exec \"$0\" run", Programs.launch])
            try await launch.prints("started\n")
            launch.send(SIGINT)
            try site.open("go")
            try await launch.check()
            #expect(launch.text.hasSuffix("started\nwent on\nEXIT_CODE=0\n"))
        }
    }

    @Test("a variable reaches the training with the bytes that it has, and is masked though they are not UTF-8")
    func variableBytes() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: away
                command: python3 -c 'import os; print(os.environb[b"PLAIN"], flush=True); os.write(1, os.environb[b"SECRET"])'
                secrets: [SECRET]
                """)
            let variables = "export PLAIN=$(printf 'a\\344\\377b') SECRET=$(printf 'secret\\344\\377value')"
            let shell = try site.start(["sh", "-c", "\(variables); exec \"$0\" run", Programs.launch])
            try await shell.check()
            #expect(shell.text.contains("\nb'a\\xe4\\xffb'\n***"))
        }
    }
}
