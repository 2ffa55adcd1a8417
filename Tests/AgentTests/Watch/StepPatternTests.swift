import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite struct StepPatternTests {
    private let endless = "(?:a+)+b(\\d+)"
    private let line = Array((String(repeating: "a", count: 3000) + "!").utf8)

    @Test("the step is the first group's number", arguments: [("at 1_200 of", 1200.0), ("at 7", 7), ("of 7", nil)])
    func number(_ text: String, _ step: Double?) throws {
        #expect(try StepPattern("at ([\\d_]+)").step(in: Array(text.utf8)) == step)
    }

    @Test("an expression that does not come to an end is switched off and reported once")
    func endless() async throws {
        let said = Mutex<[LogLine]>([])
        let pattern = try StepPattern(endless) { line in said.withLock { $0.append(line) } }
        let start = ContinuousClock.now
        let steps = try await within(.seconds(60), "the step") { [line] in
            try await DedicatedThread.run { (0..<100).map { _ in pattern.step(in: line) } }
        }
        #expect(start.duration(to: .now) < .seconds(20))
        #expect(steps == Array(repeating: nil, count: 100))
        #expect(said.withLock { $0 } == [.patternOff(endless, after: StepPattern.limit)])
    }
}
