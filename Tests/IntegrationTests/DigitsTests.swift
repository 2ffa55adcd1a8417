import Shared
import TestSupport
import Testing

/// Runs `examples/digits` with its real packages and takes its pods away at random moments.
///
/// `train.py` writes its files in place, so a SIGKILL inside a save leaves half a checkpoint. Other tests cover that:
/// here a SIGKILL comes between two saves, and a SIGTERM at any moment. `PREEMPTION_SEED` repeats an earlier run's
/// moments. `make torture` takes ten pods away. Without it each way is used once.
@Suite("the example examples/digits", .timeLimit(.minutes(10))) struct DigitsTests {
    private static let seed =
        ProcessEnvironment.all["PREEMPTION_SEED"].flatMap { Int($0) } ?? Int.random(in: 0..<1_000_000)
    private static let ways = Preemption.allCases
    private static let count = Torture.isFull ? 10 : ways.count
    /// Steps between two checkpoints of the example.
    private static let epoch = 720

    @Test("the digits example ends with the same weights although its pods are taken away")
    func preemptions() async throws {
        try await Site.with { site in
            try await site.start(["cp", "-r", "\(Programs.package)/examples/digits/.", site.project]).check()
            // The example's own config under two run names. Each attempt that is taken away adds at most one epoch.
            let config = try File.read("\(site.project)/config.yaml").text
                .replacing("python train.py", with: "python train.py --epochs \(Self.count + 2)")
            try site.write("project/reference.yaml", config.replacing("run: digits", with: "run: reference"))
            try site.config(config)

            let reference = try site.launch("run", "reference.yaml")
            #expect(try await reference.end(within: .seconds(300)) == 0, "\(reference.text)\(reference.errors)")
            #expect(reference.text.contains("(installing)\n"))

            print("preemption: PREEMPTION_SEED=\(Self.seed)")
            var generator = SeededGenerator(seed: Self.seed)
            let digits = try PreemptedDigits(at: site)
            try await digits.launch()
            for number in 0..<Self.count {
                let way = Self.ways[number % Self.ways.count]
                let moment = PreemptionMoment(for: way, epoch: Self.epoch, using: &generator)
                try await digits.takeAway(by: way, at: moment)
            }
            try await digits.finishes()
            for cost in digits.costs { print("preemption: \(cost.line)") }

            #expect(
                try digits.attempts.map(\.outcome?.kind)
                    == digits.costs.map { $0.preemption.isGentle ? .interrupted : .agentCrash } + [.finished])
            #expect(digits.costs.allSatisfy { $0.step - ($0.resumedAt ?? 0) <= Self.epoch })
            let weights = try ["reference", "digits"].map { run in
                try File.read(try site.folder(run).work + "/final/weights.npz")
            }
            #expect(!weights[0].isEmpty)
            #expect(weights[0] == weights[1], "PREEMPTION_SEED=\(Self.seed)")
        }
    }
}
