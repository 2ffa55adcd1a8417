import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct SpecDifferenceTests {
    private static func spec(_ change: (inout RunSpec) -> Void = { _ in }) throws -> RunSpec {
        var spec = RunSpec(
            run: try #require(RunID("demo")), project: "git:1", command: .shell("python train.py"), volume: "/volume",
            launch: LaunchOrder(id: "launch-1"))
        spec.resume = .shell("--resume {checkpoint}")
        spec.code = PackedCode(sha256: "aa", size: 1)
        spec.dependencies = Dependencies(requirements: ["a.txt"])
        spec.checkpoints = CheckpointRule(path: "out")
        spec.env = ["A": "1"]
        change(&spec)
        return spec
    }

    struct Case: Sendable {
        var lines: [String]
        var change: @Sendable (inout RunSpec) -> Void

        init(_ lines: [String], _ change: @escaping @Sendable (inout RunSpec) -> Void) {
            (self.lines, self.change) = (lines, change)
        }
    }

    static let cases = [
        Case([]) { _ in },
        Case([]) { $0.launch = LaunchOrder(id: "other", force: true, supersedes: ["pod-1"], price: 2.5) },
        Case([#"command: "python train.py" → "x""#]) { $0.command = .shell("x") },
        Case([#"command: "python train.py" → ["python","train.py"]"#]) { $0.command = .exec(["python", "train.py"]) },
        Case([#"resume: "--resume {checkpoint}" → (not set)"#]) { $0.resume = nil },
        Case([#"env.B: (not set) → "2""#]) { $0.env["B"] = "2" },
        Case([#"env.A: "1" → (not set)"#]) { $0.env = [:] },
        Case([#"env.A: "1" → "2""#]) { $0.env = ["A": "2"] },
        Case(["limits.cost: (not set) → 2.5", "limits.duration: (not set) → 60"]) {
            $0.limits.duration = .seconds(60)
            $0.limits.cost = Money(dollars: 2.5)
        },
        Case(["agent_port: 8000 → 1"]) { $0.agentPort = 1 },
        Case([#"code.sha256: "aa" → "bb""#, "code.size: 1 → 2"]) { $0.code = PackedCode(sha256: "bb", size: 2) },
        Case([#"dependencies.requirements: ["a.txt"] → ["a.txt","b.txt"]"#]) {
            $0.dependencies.requirements = ["a.txt", "b.txt"]
        },
        Case([#"dependencies.requirements: ["a.txt"] → []"#]) { $0.dependencies.requirements = [] },
        Case([#"checkpoints.path: "out" → (not set)"#, #"checkpoints.pattern: "checkpoint-*" → (not set)"#]) {
            $0.checkpoints = nil
        },
        Case([#"volume: "/volume" → "/other""#, #"workdir: "." → "b""#]) {
            $0.workdir = "b"
            $0.volume = "/other"
        },
    ]

    @Test("the difference of two specs lists every changed key but the launch", arguments: cases)
    func lines(of example: Case) throws {
        let (old, new) = (try Self.spec(), try Self.spec(example.change))
        #expect(try SpecDifference.lines(from: old, to: new) == example.lines)
        #expect(try (old.fingerprint == new.fingerprint) == example.lines.isEmpty)
    }
}
