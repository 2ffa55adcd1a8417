import Glibc
import Shared
import TestSupport
import Testing

/// The output of `launch` to files, pipes and terminals.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OutputTests {
    private static let config = """
        run: bar
        command: |
          echo before
          for n in 1 2 3 4 5 6 7 8 9; do printf '\\r%s0%% of it' $n; done
          printf '\\r100%% of it\\n'
          seq 100000
        """

    /// SIGPIPE has its default action, or is ignored, as some parent programs leave it.
    @Test("launch logs ends by SIGPIPE without an error when its reader is gone", arguments: [":", "trap '' PIPE"])
    func closedPipe(trap: String) async throws {
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

    @Test(
        "a follower ends when its reader is gone, though the training prints nothing more",
        arguments: ["logs -f", "attach"])
    func silentTraining(command: String) async throws {
        try await Site.with { site in
            try site.config("run: bar\ncommand: echo READY; while ! [ -e \"$SITE/end\" ]; do sleep 0.05; done")
            try await site.launch("run", "--detach").check()
            let pipe = try site.start([
                "bash", "-c", "\"$0\" \(command) | grep -m1 -x READY; echo ${PIPESTATUS[0]}", Programs.launch,
            ])
            try await pipe.check()
            #expect(pipe.text == "READY\n\(128 + SIGPIPE)\n")
            #expect(try await site.status("bar").isLive)
            try site.open("end")
            try await site.launch("attach").check()
        }
    }

    @Test("launch logs exits with 74 and an error if its output goes to a full disk")
    func fullDisk() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            try await site.launch("run").check()
            let full = try site.start(["bash", "-c", "exec \"$0\" logs >/dev/full", Programs.launch])
            #expect(try await full.end() == 74)
            #expect(full.errors == "launch: could not write to standard output: No space left on device\n")
        }
    }

    @Test("launch run prints only the last state of a progress bar into a pipe, and launch logs every byte")
    func progressBar() async throws {
        try await Site.with { site in
            try site.config(Self.config)
            let run = try site.start(["bash", "-c", "set -o pipefail; \"$0\" run | cat", Programs.launch])
            try await run.check()
            let log = try site.log("bar").text
            let bar = try #require(log.firstRange(of: "\r10% of it"))
            let end = try #require(log.firstRange(of: "\r100% of it\n"))
            #expect(run.text == log[..<bar.lowerBound] + "100% of it\n" + log[end.upperBound...])
            // `logs` prints the exact bytes, also into a pipe.
            let logs = try site.start(["bash", "-c", "set -o pipefail; \"$0\" logs | cat", Programs.launch])
            try await logs.check()
            #expect(logs.text == log)
        }
    }

    @Test("launch attach prints the exact bytes to a terminal, and resets colours before its own messages")
    func terminal() async throws {
        try await Site.with { site in
            try site.config("run: term\ncommand: seq 50; printf '\\033[31m 1%%\\r 2%%'; sleep 60\n")
            try await site.launch("run", "--detach").check()
            try await eventuallyTrue("the bar") { try site.log("term").text.hasSuffix("2%") }
            // `script` gives it a terminal, script(1).
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
