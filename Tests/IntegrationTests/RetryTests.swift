import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// The agent retries a failed training on the same pod, and a follower sees one stream.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RetryTests {
    /// The training counts its tries in `$SITE/tries`, runs `body` and fails.
    private func config(_ body: String, retry: String, site: Site) throws {
        try site.config(
            """
            run: again
            checkpoints: {path: out}
            resume: --from {checkpoint}
            retry: \(retry)
            command: |
              try=$(($(cat "$SITE/tries" 2>/dev/null || echo 0) + 1)); echo $try > "$SITE/tries"
              echo "try $try" {resume}
              \(body)
              exit 7
            """)
    }

    @Test("followers see three failed tries on one pod as one log")
    func threeTries() async throws {
        try await Site.with { site in
            try config("echo \"step $try\"", retry: "{crash: 2, backoff: 1s}", site: site)
            let run = try site.launch("run")
            try await run.prints("RETRY: attempt 2 in 1 s\n")
            let late = try site.launch("attach", "again")
            #expect(try await run.end() == 7)
            #expect(try await late.end() == 7)
            let log = try site.log("again")
            #expect(run.output == log)
            #expect(late.output == log)
            #expect(run.text.ranges(of: "EXIT_CODE=7\n").count == 3)
            #expect(run.text.hasSuffix("EXIT_CODE=7\n"))

            let status = try await site.status("again")
            #expect(status.state == "failed")
            #expect(status.attempts.map(\.number) == [1, 2, 3])
            #expect(status.attempts.map(\.step) == [1, 2, 3])
            #expect(status.attempts.map(\.outcome?.exit) == [.code(7), .code(7), .code(7)])
            #expect(status.attempts[2].outcome?.message == "it failed 3 times without a new checkpoint")
            #expect(Set(status.attempts.map(\.pod)).count == 1)
            // The pause doubles each time. A random part of it is up to 20 % either way.
            for (attempt, pause) in zip(status.attempts, [1.0, 2.0]) {
                let waited = try #require(attempt.began(.waiting))
                let next = try #require(status.attempts[attempt.number].phases.first?.began)
                let seconds = next.timeIntervalSince(waited)
                #expect(seconds > 0.8 * pause && seconds < 1.2 * pause + 1.5)
            }
        }
    }

    @Test("the count of retries begins anew after a new proven checkpoint")
    func newCheckpoint() async throws {
        try await Site.with { site in
            try config(
                """
                echo "step $try"; mkdir -p out
                  if [ $try -le 3 ]; then mkdir out/checkpoint-$try; echo saved > out/checkpoint-$try/state; fi
                  # The first one is proven by a later step. The others are proven because they have its files.
                  n=1; while [ $try = 1 ] && [ ! -e ../receipts/checkpoint-1.json ]; do
                    n=$((n + 1)); echo "step $n"; sleep 0.1
                  done
                """, retry: "{crash: 1, backoff: 1s}", site: site)
            let run = try site.launch("run")
            #expect(try await run.end() == 7)
            #expect(run.output == (try site.log("again")))
            let status = try await site.status("again")
            #expect(status.attempts.map { $0.resumedFrom?.step } == [nil, 1, 2, 3, 3])
            #expect(status.attempts.last?.outcome?.message == "it failed 2 times without a new checkpoint")
        }
    }

    /// A training that dies in each save makes no progress, however high its steps are.
    @Test("the count of retries does not begin anew after a torn checkpoint")
    func tornCheckpoint() async throws {
        try await Site.with { site in
            try config(
                """
                echo "step $try"; [ $try -le 4 ] || exit 0
                  mkdir -p out/checkpoint-$try; printf '{"step":' > out/checkpoint-$try/state.json
                """, retry: "{crash: 1, backoff: 1s}", site: site)
            #expect(try await site.launch("run").end() == 7)
            let status = try await site.status("again")
            #expect(status.attempts.map(\.outcome?.kind) == [.failed, .failed])
            #expect(status.attempts.map { $0.checkpoints?.newest?.step } == [1, 2])
            #expect(status.attempts.last?.outcome?.message == "it failed 2 times without a new checkpoint")
        }
    }

    @Test("the agent does not retry after two failures before the first step, whatever retry.crash is")
    func noStep() async throws {
        try await Site.with { site in
            try config("true", retry: "{crash: 9, backoff: 1s}", site: site)
            #expect(try await site.launch("run").end() == 7)
            let status = try await site.status("again")
            #expect(status.attempts.count == 2)
            #expect(status.attempts.last?.outcome?.message == "it failed twice before the first step")
        }
    }

    @Test("the run finishes if its second try ends well")
    func secondTry() async throws {
        try await Site.with { site in
            try config("[ $try = 2 ] && exit 0", retry: "{crash: 2, backoff: 1s}", site: site)
            let run = try site.launch("run")
            try await run.check()
            #expect(run.output == (try site.log("again")))
            #expect(try await site.status("again").state == "finished")
        }
    }

    @Test("launch stop ends a run that waits for its retry, and the failure stays on record")
    func stopInPause() async throws {
        try await Site.with { site in
            try config("echo step 1", retry: "{crash: 2, backoff: 5m}", site: site)
            let run = try site.launch("run")
            try await run.prints("RETRY: attempt 2 in ")
            #expect(try await site.status("again").state == "waiting")
            let pod = try await site.pod(of: "again")
            try await site.launch("stop", "again").check()
            #expect(try await run.end(within: .seconds(10)) == 130)
            try await site.isGone(pod)
            #expect(run.output == (try site.log("again")))
            #expect(run.text.hasSuffix("STOPPED: before the next try; this one ended as failed\n"))
            let status = try await site.status("again")
            #expect(status.state == "stopped")
            #expect(status.attempts.count == 1)
            // The failure stays visible.
            #expect(status.attempts[0].outcome?.exit == .code(7))
            #expect(status.attempts[0].outcome?.message == "before the next try; this one ended as failed")
            #expect(status.attempts[0].death?.lines.last == "step 1")
            #expect(try File.read("\(site.root)/tries").text == "1\n")
        }
    }

    /// The training has failed, and a process that it started still runs.
    @Test("launch stop prevents the retry if a failed attempt is still finishing")
    func stopWhileFinishing() async throws {
        try await Site.with { site in
            try config(
                "echo step 1; (until [ -e \"$SITE/go\" ]; do sleep 0.02; done) & true",
                retry: "{crash: 2, backoff: 1s}", site: site)
            let run = try site.launch("run")
            try await run.prints("step 1\n")
            try await site.reaches("finishing", "again")
            let stop = try site.launch("stop", "again")
            try await stop.check()
            try site.open("go")
            #expect(try await run.end(within: .seconds(20)) == 130)
            let status = try await site.status("again")
            #expect(status.attempts.map(\.outcome?.kind) == [.stopped])
            #expect(status.attempts[0].outcome?.exit == .code(7))
        }
    }

    @Test("launch run starts the next attempt at once if the pod was killed while it waited for its retry")
    func killInPause() async throws {
        try await Site.with { site in
            try config("echo step 1; [ $try = 2 ] && exit 0", retry: "{crash: 2, backoff: 5m}", site: site)
            let first = try site.launch("run")
            try await first.prints("RETRY: attempt 2 in ")
            let second = try site.launch("run")
            try await second.prints("RETRY: attempt 2 in ")
            try await site.cutPower("again")
            #expect(try await first.end() == 70)
            #expect(try await second.end() == 70)
            let third = try site.launch("run")
            try await third.check()
            #expect(try await site.status("again").attempts.map(\.outcome?.kind) == [.failed, .finished])
        }
    }

    @Test("a container that is stopped in the pause before a retry waits for the rest of it after its restart")
    func terminateInPause() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site, command: .shell("echo \"step 1\"; [ -e \"$SITE/mended\" ] || exit 7"))
            agent.spec.retry = RetryPolicy(crash: 2, backoff: .seconds(10))
            let pod = try agent.start()
            let next = try await eventually("a pause") { try agent.record(1)?.next }
            let start = ContinuousClock.now
            pod.send(SIGTERM)
            #expect(try await pod.end(within: .seconds(5)) == 143)
            #expect(start.duration(to: .now) < .seconds(1))
            #expect(site.processes.isEmpty)

            try site.open("mended")
            // A new pause would be longer.
            agent.spec.retry.backoff = .seconds(600)
            let second = try agent.start()
            let rest = try await eventually("the rest of the pause") { try agent.record(2)?.next }
            #expect(abs(rest.timeIntervalSince(next)) < 5)
            try await second.check()
            #expect(try agent.folder.claims().map(\.number) == [1, 2, 3])
            #expect(try (1...3).map { try agent.record($0)?.outcome?.kind } == [.failed, .failed, .finished])
            #expect(try agent.record(2)?.began(.training) == nil)
            let began = try #require(try agent.record(3)?.phases.first?.began)
            #expect((-0.5..<4).contains(began.timeIntervalSince(next)), "\(began) \(next)")
        }
    }

    @Test("a failed attempt records when its retry is due if SIGTERM comes while it finishes")
    func terminateWhileFinishing() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell("echo \"step 1\"; (until [ -e \"$SITE/go\" ]; do sleep 0.02; done) & exit 7"))
            agent.spec.retry = RetryPolicy(crash: 2, backoff: .seconds(300))
            let pod = try agent.start()
            try await eventuallyTrue("the end") { try agent.record(1)?.state == .finishing }
            pod.send(SIGTERM)
            #expect(try await pod.end(within: .seconds(5)) == 143)
            let record = try #require(try agent.record(1))
            #expect(record.state == .waiting)
            #expect(try #require(record.next).timeIntervalSinceNow > 200)
        }
    }
}
