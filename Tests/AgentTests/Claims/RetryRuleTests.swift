import Shared
import Testing

@testable import Agent

/// Whether there is another try, and after how long.
@Suite struct RetryRuleTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    /// The history of one launch, a word for each attempt: how it ended, and `@step`, `>resumed`, `+newest checkpoint`;
    /// `!` where it never trained and only told the end of the one before.
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
        let rule = RetryRule(policy: RetryPolicy(crash: crash, backoff: backoff))
        return rule.verdict(on: try history(words), jitter: jitter)
    }

    private static let early = RetryRule.Verdict.enough("it failed twice before the first step")
    private static let memory = RetryRule.Verdict.enough("it ran out of memory without a new checkpoint")

    private static func after(_ seconds: Double) -> RetryRule.Verdict { .retry(after: .seconds(seconds)) }
    private static func times(_ count: Int) -> RetryRule.Verdict {
        .enough("it failed\(count == 1 ? "" : " \(count) times") without a new checkpoint")
    }

    @Test(
        arguments: [
            ("failed", after(10)), ("failed@5", after(10)), ("stalled@5", after(10)),
            // Before the first step.
            ("failed failed", early), ("failed@5 failed", after(20)), ("failed failed@5", after(20)),
            ("failed@5 failed failed", early), ("stalled failed", early),
            // What tells no steps and saves had some.
            ("failed+100 failed>100+200", after(10)), ("failed+100 failed>100", after(10)),
            // The count.
            ("failed@5 failed@5", after(20)), ("failed@5 failed@5 failed@5", times(3)),
            ("stalled@5 failed@5 stalled@5", times(3)),
            // A new checkpoint begins it anew; one that was there before is none.
            ("failed@5 failed@5 failed@5+100", after(10)),
            ("failed@5+100 failed@5>100+100 failed@5>100+100", after(20)),
            ("failed@5+100 failed@5>100+100 failed@5>100+100 failed@5>100+100", times(3)),
            ("failed@5 failed@5 failed@5>100+200 failed@5>200+200", after(10)),
            // Nor does it count what ended otherwise.
            ("failed@5 failed@5 interrupted failed@5", after(10)), ("failed interrupted failed", after(10)),
            // An agent that died counts as a failure, but says nothing of the first step.
            ("failed agent-crash failed", times(3)), ("agent-crash failed", after(20)),
            ("agent-crash+100 failed", after(10)),
            // An agent died in finishing, and the next one finished for it.
            ("failed failed+100!", after(10)), ("failed@5 failed@5 failed!", after(20)),
            // Memory.
            ("out-of-memory", memory), ("out-of-memory@50>100+100", memory), ("out-of-memory@50>100+200", after(10)),
            ("out-of-memory@50+100 failed@5>100+100", after(10)),
            ("out-of-memory@9+100 out-of-memory@9>100+100", memory),
            ("finished", .enough("nothing failed")), ("failed stopped", .enough("nothing failed")),
            ("", .enough("nothing failed")),
        ] as [(String, RetryRule.Verdict)])
    func table(_ words: String, _ expected: RetryRule.Verdict) throws {
        #expect(try verdict(words) == expected)
    }

    @Test func noneAtAll() throws {
        #expect(try verdict("failed@5", crash: 0) == Self.times(1))
        #expect(try verdict("failed@5+100", crash: 0) == Self.after(10))
    }

    @Test func withoutEnd() throws {
        let many = Array(repeating: "failed@5", count: 40).joined(separator: " ")
        #expect(try verdict(many, crash: nil) == Self.after(RetryRule.maxPause))
        #expect(try verdict(many + " failed failed", crash: nil) == Self.early)
    }

    @Test func thePauseDoublesUpToItsEnd() throws {
        let pauses = try (1...9).map { count in
            try verdict(Array(repeating: "failed@5", count: count).joined(separator: " "), crash: nil)
        }
        #expect(pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600].map(Self.after))
    }

    @Test func thePauseIsShakenByAFifthAtTheMost() throws {
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
        arguments: [
            ("agent-crash", 2, nil), ("agent-crash agent-crash", 2, nil), ("agent-crash agent-crash agent-crash", 2, 3),
            ("agent-crash agent-crash agent-crash+100", 2, nil), ("agent-crash! agent-crash! agent-crash!", 2, 3),
            // A checkpoint that was there when it never trained is none of its own.
            ("agent-crash+100! agent-crash+100! agent-crash+100!", 2, 3),
            ("agent-crash+100 agent-crash>100+100 agent-crash>100+100", 2, nil),
            ("agent-crash+100 agent-crash>100+100 agent-crash>100+100 agent-crash>100+100", 2, 3),
            ("failed@5 agent-crash failed@5 agent-crash", 2, 4), ("agent-crash interrupted agent-crash", 2, nil),
            // Some are forgiven whatever the policy is, and none is for ever.
            ("agent-crash agent-crash", 0, nil), ("agent-crash agent-crash agent-crash", 0, 3),
            ("agent-crash agent-crash agent-crash", 5, nil),
            (Array(repeating: "agent-crash", count: 10).joined(separator: " "), nil, nil),
            (Array(repeating: "agent-crash", count: 11).joined(separator: " "), nil, 11),
            ("agent-crash agent-crash agent-crash failed", 2, nil), ("", 2, nil),
        ] as [(String, Int?, Int?)]) func agentsThatDie(_ words: String, crash: Int?, count: Int?) throws
    {
        let rule = RetryRule(policy: RetryPolicy(crash: crash, backoff: 10))
        #expect(
            rule.reasonToStop(afterCrash: try history(words))
                == count.map { "the agent died, or the training failed, \($0) times without a new checkpoint" })
    }
}
