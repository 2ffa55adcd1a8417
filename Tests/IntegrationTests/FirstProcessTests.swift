import Glibc
import Shared
import TestSupport
import Testing

@Suite(
    "the agent as PID 1", .serialized, .timeLimit(.minutes(2)), .enabled(if: Namespaces.areAvailable, Namespaces.reason)
)
struct FirstProcessTests {
    @Test("the agent as PID 1 reaps hundreds of orphans of the training")
    func orphans() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    for i in $(seq 200); do (sh -c 'setsid true & (true &)' &) ; done
                    touch "$SITE/burst"
                    until [ -e "$SITE/go" ]; do sleep 0.02; done
                    """))
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the burst") { site.exists("burst") }
            // `serve`, the shell and at times its `sleep`, which is a zombie until the shell has waited for it.
            try await eventuallyTrue("no orphan", within: .seconds(10)) {
                let all = ProcessStat.descendants(of: first)
                return all.count <= 3 && !all.contains(where: \.isZombie)
            }
            try site.open("go")
            try await unshare.check()
        }
    }

    @Test(
        "the pod exits with the training's exit code, or 128 + n if a signal n ended the training",
        arguments: [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
    func exitCode(command: String, code: Int) async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell(command))
            #expect(try await agent.startAsFirst().end() == code)
            #expect(try agent.log.hasSuffix("EXIT_CODE=\(code)\n"))
        }
    }

    /// The provider's log page shows the container's output.
    @Test("the container's output is a copy of the log with the secrets masked")
    func output() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site, command: .shell("seq 1000; echo \"token $TOKEN\"; printf 'no end of line'"))
            agent.spec.secrets = ["TOKEN"]
            let environment = try agent.environment().merging(["TOKEN": "a-secret-of-mine"]) { $1 }
            let pipe = ["sh", "-c", "\"$0\" | cat >\"$SITE/console\"", Programs.agent]
            try await site.start(pipe, environment: environment).check()
            let log = try agent.log
            #expect(try File.read("\(site.root)/console").text == log)
            #expect(log.contains("\n1000\ntoken ***\nno end of line\nEXIT_CODE=0\n"))
        }
    }

    @Test("all processes end within 5 s of SIGTERM although the training ignores it, forks and has daemons")
    func ignoredSignal() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    trap '' TERM INT HUP
                    setsid sh -c 'while :; do sleep 60 & sleep 0.05; done' &
                    echo started
                    while :; do sleep 60 & sleep 0.05; done
                    """))
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let start = ContinuousClock.now
            kill(first, SIGTERM)
            try await eventuallyTrue("the mark", within: .seconds(1)) {
                try agent.record(1)?.outcome?.kind == .interrupted
            }
            let marked = start.duration(to: .now)
            _ = try await unshare.end(within: .seconds(10))
            try await eventuallyTrue("the end of all", within: .seconds(10), every: .milliseconds(2)) {
                site.processes.isEmpty
            }
            let gone = start.duration(to: .now)
            print("timing: SIGTERM to the durable mark \(marked), to the end of all \(gone)")
            #expect(gone < .seconds(5))
            #expect(marked < .milliseconds(500))
        }
    }

    @Test("the pod ends soon after SIGTERM if the training obeys at once")
    func obeyedSignal() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell("echo started; exec sleep 600"))
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let start = ContinuousClock.now
            kill(first, SIGTERM)
            #expect(try await unshare.end() == 143)
            let gone = start.duration(to: .now)
            print("timing: SIGTERM to the end of a training that obeys \(gone)")
            #expect(gone < .seconds(3), "one that ignores it gets 3.3 s")
        }
    }

    /// Providers restart a container whose first process ends, with the same environment.
    @Test("a container restart trains nothing and repeats the exit code if the run has ended")
    func restartAfterEnd() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell("echo once >> \"$SITE/trainings\"; exit 5"))
            for _ in 1...3 { #expect(try await agent.startAsFirst().end() == 5) }
            #expect(try File.read("\(site.root)/trainings").text == "once\n")
            #expect(try agent.folder.claims().count == 1)
        }
    }

    @Test("a container restart resumes from the newest checkpoint after an interruption")
    func restartAfterInterruption() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    mkdir -p out/checkpoint-7; echo saved > out/checkpoint-7/state; echo began with {resume}.
                    until [ -e "$SITE/go" ]; do sleep 0.02; done
                    """))
            agent.spec.resume = .shell("--from {checkpoint}")
            agent.spec.checkpoints = CheckpointRule(path: "out")
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("began with .\n") }
            kill(first, SIGTERM)
            #expect(try await unshare.end() == 143)
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)

            let again = try agent.startAsFirst()
            try await eventuallyTrue("the start") {
                try agent.log.contains("began with --from \(agent.folder.work)/out/checkpoint-7.\n")
            }
            try site.open("go")
            try await again.check()
            #expect(try agent.folder.claims().map(\.number) == [1, 2])
            #expect(try agent.record(2)?.outcome?.kind == .finished)
        }
    }

    /// The earlier claim is of the same pod, so the agent need not watch its heartbeat.
    @Test("a container restart after SIGKILL trains within 10 s, without waiting for the earlier claim")
    func restartAfterKill() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("echo started; until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            kill(first, SIGKILL)
            _ = try await unshare.end()
            try site.open("go")
            let start = ContinuousClock.now
            try await agent.startAsFirst().check()
            #expect(start.duration(to: .now) < .seconds(10))
            #expect(try agent.record(2)?.outcome?.kind == .finished)
        }
    }

    @Test(
        "the pod ends if the agent's serve process dies, and the next start finishes the run", arguments: [true, false])
    func killServe(asPIDOne: Bool) async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    "trap '' TERM; echo started; until [ -e \"$SITE/go\" ]; do sleep 60 & sleep 0.02; done"))
            let pod = try asPIDOne ? agent.startAsFirst() : agent.start()
            let first = asPIDOne ? try await agent.first(pod) : pod.pid
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let serve = try #require(ProcessStat.all().first { $0.parent == first })
            kill(serve.pid, SIGKILL)
            #expect(try await pod.end(within: .seconds(5)) == 137)
            try await eventuallyTrue("the end of all") { site.processes.isEmpty }
            #expect(try agent.record(1)?.state == .training)
            try site.open("go")
            try await agent.start().check()
            #expect(try agent.record(2)?.outcome?.kind == .finished)
        }
    }
}
