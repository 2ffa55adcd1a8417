import Shared
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct TrainingEnvironmentTests {
    @Test("a training finds none of the agent's variables in the environments of the agent's processes")
    func privateVariables() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    parent=$(awk '/^PPid:/{print $2}' /proc/$PPID/status)
                    cat /proc/$PPID/environ /proc/$parent/environ | tr '\\0' '\\n' | grep -c 'secret-value' > "$SITE/found"
                    true
                    """))
            let keys = ["RUNPOD_API_KEY", "POD_AGENT_STOP_KEY"].map { ($0, "secret-value") }
            let variables = try agent.environment().merging(Dictionary(uniqueKeysWithValues: keys)) { $1 }
            try await site.start([Programs.agent], environment: variables).check()
            #expect(try File.read("\(site.root)/found").text == "0\n")
        }
    }

    @Test("the training gets the variables of user and config but not the agent's own, nor the provider's key")
    func variables() async throws {
        try await Site.with { site in
            try site.config("run: env\nenv: {MINE: from the config}\ncommand: env > \"$SITE/env\"\n")
            try await site.launch("run", environment: ["RUNPOD_API_KEY": "key", "OTHER": "from the user"]).check()
            let found = try File.read("\(site.root)/env").text.split(separator: "\n").map(String.init)
            #expect(found.contains("MINE=from the config"))
            #expect(found.contains("OTHER=from the user"))
            #expect(found.contains("PYTHONUNBUFFERED=1"))
            // `POD_AGENT_STREAM` marks the attempt's processes, in case their agent is killed.
            let own = found.filter { $0.hasPrefix("POD_AGENT_") || $0.hasPrefix("RUNPOD_API_KEY") }
            #expect(own.count == 1 && own.first?.hasPrefix("POD_AGENT_STREAM=") == true)
        }
    }

    @Test("a command of 300 kB runs")
    func longCommand() async throws {
        try await Site.with { site in
            let lines = (1...25_000).map { "  : \($0)\n" }.joined()
            try site.config("run: long\ncommand: |\n\(lines)  echo \"$0 is at the end\"\n")
            let run = try site.launch("run")
            #expect(try await run.end() == 0)
            #expect(run.text.contains("\nbash is at the end\n"))
        }
    }

    @Test("the training starts in the work tree in its own session, without input, extra files or blocked signals")
    func cleanStart() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import os, signal, sys
                print("input", sys.stdin.read() == "")
                print("files", sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1])
                print("blocked", signal.pthread_sigmask(signal.SIG_BLOCK, []))
                print("ignored", [n for n in (1, 2, 3, 13, 15, 17) if signal.getsignal(n) == signal.SIG_IGN and n != 13])
                print("session", os.getsid(0) == os.getpid())
                print("folder", os.getcwd())
                """)
            try site.config("run: clean\ncode: {path: .}\ncommand: [python3, train.py]\n")
            let run = try site.launch("run")
            try await run.check()
            let work = try site.folder("clean").work
            let words = "input True\nfiles [0, 1, 2]\nblocked set()\nignored []\nsession True\nfolder \(work)\n"
            #expect(run.text.hasSuffix("STARTING FRESH\n\(words)EXIT_CODE=0\n"))
        }
    }
}
