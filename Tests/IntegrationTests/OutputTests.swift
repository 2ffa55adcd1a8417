import Glibc
import Shared
import TestSupport
import Testing

/// What `launch` writes to files, pipes and terminals.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OutputTests {
    private static let config = """
        run: bar
        command: |
          echo before
          for n in 1 2 3 4 5 6 7 8 9; do printf '\\r%s0%% of it' $n; done
          printf '\\r100%% of it\\n'
          seq 100000
        """

    /// With SIGPIPE as it is by default, and ignored, as some that start others leave it.
    @Test(arguments: [":", "trap '' PIPE"]) func endsQuietlyWithItsReader(trap: String) async throws {
        try await Site.with { site in
            try site.config(Self.config)
            try await site.launch("run").check()
            let pipe = try site.start([
                "bash", "-c", "\(trap); \"$0\" logs | head -1; exit ${PIPESTATUS[0]}", Programs.launch,
            ])
            #expect(try await pipe.end() == 128 + SIGPIPE)
            #expect(pipe.text.hasPrefix("====== ") && pipe.text.split(separator: "\n").count == 1)
            #expect(pipe.errors == "")
        }
    }

    @Test func aFullDiskIsSaid() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            try await site.launch("run").check()
            let full = try site.start(["bash", "-c", "exec \"$0\" logs >/dev/full", Programs.launch])
            #expect(try await full.end() == 74)
            #expect(full.errors == "launch: could not write to standard output: No space left on device\n")
        }
    }

    @Test func aPipeGetsTheLastStateOfABar() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            let run = try site.start(["bash", "-c", "set -o pipefail; \"$0\" run | cat", Programs.launch])
            try await run.check()
            let log = try site.log("bar").text
            let bar = try #require(log.firstRange(of: "\r10% of it"))
            let end = try #require(log.firstRange(of: "\r100% of it\n"))
            #expect(run.text == log[..<bar.lowerBound] + "100% of it\n" + log[end.upperBound...])
            // `logs` is exact, wherever it goes to.
            let logs = try site.start(["bash", "-c", "set -o pipefail; \"$0\" logs | cat", Programs.launch])
            try await logs.check()
            #expect(logs.text == log)
        }
    }

    /// Its own words begin on a line of their own, and leave no colours behind.
    @Test func aTerminalGetsTheBytesAsTheyAre() async throws {
        try await Site.with { site in
            try site.config("run: term\ncommand: seq 50; printf '\\033[31m 1%%\\r 2%%'; sleep 60\n")
            try await site.launch("run", "--detach").check()
            try await eventuallyTrue("the bar") { try site.log("term").text.hasSuffix("2%") }
            // Its terminal is the other end of `script`, script(1).
            let attach = try site.start([
                "script", "-qec", "stty rows 6 -opost; exec \"\(Programs.launch)\" attach", "/dev/null",
            ])
            try await attach.prints("2%")
            #expect(attach.text == "47\n48\n49\n50\n\u{1b}[31m 2%")
            try await site.cutPower("term")
            #expect(try await attach.end() == 70)
            #expect(attach.text.contains("\u{1b}[31m 2%\u{1b}[0m\u{1b}[?25h\n\n== term: lost"))
        }
    }
}
