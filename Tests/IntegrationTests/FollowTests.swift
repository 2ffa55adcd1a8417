import Glibc
import Shared
import TestSupport
import Testing

/// `launch run` shows a training as if it ran on this machine.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FollowTests {
    /// The training prints no more until the test has seen its line in the output of `launch`.
    @Test("launch run prints each line, and each half line, as soon as the training prints it")
    func liveOutput() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: live
                command: |
                  printf 'first line\\n'
                  until [ -e "$SITE/seen" ]; do sleep 0.02; done
                  printf 'half a'
                  until [ -e "$SITE/seen-half" ]; do sleep 0.02; done
                  printf ' line\\n'
                """)
            let launch = try site.launch("run")
            try await launch.prints("first line\n")
            try site.open("seen")
            try await launch.prints("\nhalf a")
            #expect(!launch.text.contains("half a line"))
            try site.open("seen-half")
            let start = ContinuousClock.now
            try await launch.check()
            #expect(start.duration(to: .now) < .seconds(3), "the end is seen at once")
            #expect(launch.text.hasSuffix("half a line\nEXIT_CODE=0\n"))
            #expect(launch.output == (try site.log("live")))
            #expect(launch.errors.contains("== live: finished, exit code 0\n"))
            #expect(launch.errors.contains("attempts"))
        }
    }

    @Test(
        "launch run exits with the training's exit code and prints it",
        arguments: [
            ("exit 0", 0, "finished, exit code 0"), ("exit 3", 3, "failed, exit code 3"),
            ("kill -9 $$", 137, "failed, ended by signal 9"), ("exit 143", 143, "failed, exit code 143"),
            ("false | true", 1, "failed, exit code 1"),
        ])
    func exitCode(command: String, code: Int, verdict: String) async throws {
        try await Site.with { site in
            try site.config("run: code\nretry: {crash: 0}\ncommand: '\(command)'\n")
            let launch = try site.launch("run")
            #expect(try await launch.end() == code)
            #expect(launch.text.hasSuffix("\nEXIT_CODE=\(code)\n"))
            #expect(launch.output == (try site.log("code")))
            #expect(launch.errors.contains("== code: \(verdict)"))
        }
    }

    /// The training prints bytes that are not text, carriage returns and a megabyte at once, and no newline at the end.
    @Test("launch run prints the training's bytes unchanged, and the log keeps them unchanged")
    func bytes() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import sys
                sys.stdout.buffer.write(bytes(range(256)) * 4096 + b"\\rbar 1\\rbar 2")
                """)
            try site.config("run: bytes\ncode: {path: .}\ncommand: [python3, train.py]\n")
            let launch = try site.launch("run")
            try await launch.check()
            let expected =
                [[UInt8]](repeating: Array(0...255), count: 4096).flatMap { $0 } + Array("\rbar 1\rbar 2".utf8)
            let log = try site.log("bytes")
            #expect(launch.output == log)
            let end = expected + Array("\nEXIT_CODE=0\n".utf8)
            #expect(Array(log.suffix(end.count)) == end)
            #expect(log.dropLast(end.count).elementsEqual(log.text.prefix(while: { $0 != "\0" }).utf8))
        }
    }

    @Test("launch logs and attach need no run name if there is one run, and launch status asks for it if there are two")
    func defaultRun() async throws {
        try await Site.with { site in
            try site.config("run: only\ncommand: echo hello\n")
            try await site.launch("run").check()
            let logs = try site.launch("logs")
            try await logs.check()
            #expect(logs.output == (try site.log("only")))
            let list = try site.launch("ls")
            try await list.check()
            #expect(
                list.text.split(separator: "\n").map { $0.split(separator: " ").prefix(3) } == [
                    ["RUN", "STATE", "ATTEMPTS"], ["only", "finished", "1"],
                ])
            let attach = try site.launch("attach")
            try await attach.check()
            #expect(attach.text.hasSuffix("hello\nEXIT_CODE=0\n"))

            try site.config("run: other\ncommand: echo hello\n")
            try await site.launch("run").check()
            let ambiguous = try site.launch("status")
            #expect(try await ambiguous.end() == 64)
            #expect(ambiguous.errors == "launch: there is more than one run\nhint: name one of: only, other\n")
        }
    }

    /// The other tests run as root here.
    @Test(
        "launch run shows the whole log to a user who is not root",
        .enabled(if: geteuid() == 0, "all integration tests run as another user already"),
        .disabled(if: Programs.isBlind, "another user cannot hide the volume from launch"))
    func otherUser() async throws {
        try await Site.with { site in
            try site.copy(Programs.agent, to: "bin/pod-agent")
            try site.copy(Programs.launch, to: "bin/launch")
            try site.config("run: live\ncommand: echo started; until [ -e \"$SITE/go\" ]; do sleep 0.02; done\n")
            try await site.start(["chown", "-R", "65534:65534", site.root]).check()
            let launch = try site.start(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "\(site.root)/bin/launch", "run"],
                environment: ["POD_AGENT": "\(site.root)/bin/pod-agent"])
            try await launch.prints("started\n")
            try site.open("go")
            try await launch.check()
            #expect(launch.output == (try site.log("live")))
        }
    }
}
