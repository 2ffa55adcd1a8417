import Shared
import Testing

@testable import Agent

/// Whether a failed training is tried again, and after which pause.
@Suite struct RetryRuleTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    /// The history of one launch, a word for each attempt: how it ended, and `@step`, `>resumed`, `+newest checkpoint`;
    /// `!` if it never trained and only has the outcome of the attempt before.
    private func history(_ words: String) throws -> [AttemptRecord] {
        try words.split(separator: " ").enumerated().map { index, word in
            let claim = try run.attempt(index + 1)
            var record = AttemptRecord(claim: claim, run: run.id, spec: "")
            let name = word.prefix { $0.isLetter || $0 == "-" }
            record.outcome = Outcome(try #require(OutcomeClass(rawValue: String(name))))
            if !word.hasSuffix("!") { record.enter(.training, at: claim.claimed) }
            func number(after sign: Character) -> Int? {
                word.firstIndex(of: sign).flatMap { Int(word[word.index(after: $0)...].prefix { $0.isNumber }) }
            }
            record.step = number(after: "@").map(Double.init)
            record.resumedFrom = number(after: ">").map { CheckpointReference(step: $0, path: "c") }
            record.checkpoints = number(after: "+").map {
                CheckpointCount(count: 1, newest: nil, proven: CheckpointReference(step: $0, path: "c"))
            }
            return record
        }
    }

    private func verdict(
        _ words: String, crash: Int? = 2, backoff: Double = 10, jitter: Double = 0.5
    ) throws -> RetryRule.Verdict {
        let rule = RetryRule(policy: RetryPolicy(crash: crash, backoff: .seconds(backoff)))
        return rule.verdict(on: try history(words), jitter: jitter)
    }

    private static let early = RetryRule.Verdict.enough("it failed twice before the first step")
    private static let memory = RetryRule.Verdict.enough("it ran out of memory without a new checkpoint")

    private static func after(_ seconds: Double) -> RetryRule.Verdict { .retry(after: .seconds(seconds)) }
    private static func times(_ count: Int) -> RetryRule.Verdict {
        .enough("it failed\(count == 1 ? "" : " \(count) times") without a new checkpoint")
    }

    @Test(
        "the history of a launch decides whether a failed training is tried again, and after which pause",
        arguments: [
            ("failed", after(10)), ("failed@5", after(10)), ("stalled@5", after(10)),
            // Before the first step.
            ("failed failed", early), ("failed@5 failed", after(20)), ("failed failed@5", after(20)),
            ("failed@5 failed failed", early), ("stalled failed", early),
            // A training that reports no steps but saves checkpoints has made steps.
            ("failed+100 failed>100+200", after(10)), ("failed+100 failed>100", after(10)),
            // The number of failures.
            ("failed@5 failed@5", after(20)), ("failed@5 failed@5 failed@5", times(3)),
            ("stalled@5 failed@5 stalled@5", times(3)),
            // A new checkpoint resets that number. One that was there before does not.
            ("failed@5 failed@5 failed@5+100", after(10)),
            ("failed@5+100 failed@5>100+100 failed@5>100+100", after(20)),
            ("failed@5+100 failed@5>100+100 failed@5>100+100 failed@5>100+100", times(3)),
            ("failed@5 failed@5 failed@5>100+200 failed@5>200+200", after(10)),
            // An attempt that ended otherwise resets it too.
            ("failed@5 failed@5 interrupted failed@5", after(10)), ("failed interrupted failed", after(10)),
            // An agent that died counts as a failure, but says nothing about the first step.
            ("failed agent-crash failed", times(3)), ("agent-crash failed", after(20)),
            ("agent-crash+100 failed", after(10)),
            // An agent died in finishing, and the next one finished for it.
            ("failed failed+100!", after(10)), ("failed@5 failed@5 failed!", after(20)),
            // Out of memory.
            ("out-of-memory", memory), ("out-of-memory@50>100+100", memory), ("out-of-memory@50>100+200", after(10)),
            ("out-of-memory@50+100 failed@5>100+100", after(10)),
            ("out-of-memory@9+100 out-of-memory@9>100+100", memory),
            ("finished", .enough("nothing failed")), ("failed stopped", .enough("nothing failed")),
            ("", .enough("nothing failed")),
        ] as [(String, RetryRule.Verdict)])
    func histories(_ words: String, _ expected: RetryRule.Verdict) throws {
        #expect(try verdict(words) == expected)
    }

    @Test("with \"crash: 0\" a training is tried again only after a new proven checkpoint")
    func noRetries() throws {
        #expect(try verdict("failed@5", crash: 0) == Self.times(1))
        #expect(try verdict("failed@5+100", crash: 0) == Self.after(10))
    }

    @Test("unlimited retries end only when a training fails twice before its first step")
    func unlimited() throws {
        let many = Array(repeating: "failed@5", count: 40).joined(separator: " ")
        #expect(try verdict(many, crash: nil) == Self.after(RetryRule.maxPause))
        #expect(try verdict(many + " failed failed", crash: nil) == Self.early)
    }

    @Test("the pause before a retry doubles with each failure, up to 10 minutes")
    func doubling() throws {
        let pauses = try (1...9).map { count in
            try verdict(Array(repeating: "failed@5", count: count).joined(separator: " "), crash: nil)
        }
        #expect(pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600].map(Self.after))
    }

    @Test("the pause before a retry is varied by at most a fifth")
    func jitter() throws {
        for (jitter, seconds) in [(0.0, 8.0), (0.25, 9), (0.5, 10), (1, 12)] {
            guard case .retry(let pause) = try verdict("failed@5", jitter: jitter) else {
                Issue.record("no other try")
                continue
            }
            #expect(abs(pause.inSeconds - seconds) < 1e-9)
        }
        #expect(try verdict("failed@5", backoff: 0, jitter: 1) == Self.after(0))
    }

    @Test(
        "a launch ends when its agents died too often without a new proven checkpoint",
        arguments: [
            ("agent-crash", 2, nil), ("agent-crash agent-crash", 2, nil), ("agent-crash agent-crash agent-crash", 2, 3),
            ("agent-crash agent-crash agent-crash+100", 2, nil), ("agent-crash! agent-crash! agent-crash!", 2, 3),
            // A checkpoint does not count for an attempt that never trained.
            ("agent-crash+100! agent-crash+100! agent-crash+100!", 2, 3),
            ("agent-crash+100 agent-crash>100+100 agent-crash>100+100", 2, nil),
            ("agent-crash+100 agent-crash>100+100 agent-crash>100+100 agent-crash>100+100", 2, 3),
            ("failed@5 agent-crash failed@5 agent-crash", 2, 4), ("agent-crash interrupted agent-crash", 2, nil),
            // At least two deaths are forgiven under any policy, and never more than ten.
            ("agent-crash agent-crash", 0, nil), ("agent-crash agent-crash agent-crash", 0, 3),
            ("agent-crash agent-crash agent-crash", 5, nil),
            (Array(repeating: "agent-crash", count: 10).joined(separator: " "), nil, nil),
            (Array(repeating: "agent-crash", count: 11).joined(separator: " "), nil, 11),
            ("agent-crash agent-crash agent-crash failed", 2, nil), ("", 2, nil),
        ] as [(String, Int?, Int?)])
    func agentsThatDie(_ words: String, crash: Int?, count: Int?) throws {
        let rule = RetryRule(policy: RetryPolicy(crash: crash, backoff: .seconds(10)))
        #expect(
            rule.reasonToStop(afterCrash: try history(words))
                == count.map { "the agent died, or the training failed, \($0) times without a new checkpoint" })
    }
}
