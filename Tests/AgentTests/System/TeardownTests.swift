import Glibc
import Testing

@testable import Agent

/// The plans only: their steps reach every process below this one, which is for the tests of the whole program.
@Suite struct TeardownTests {
    @Test(arguments: [Teardown.fast, .graceful, .immediate])
    func nothingSurvivesTheLastStep(_ teardown: Teardown) {
        #expect(teardown.steps.last?.signal == SIGKILL)
        #expect(teardown.steps.last?.target == .tree)
        #expect(teardown.steps.map(\.after) == teardown.steps.map(\.after).sorted())
        #expect(teardown.steps.count { $0.signal == SIGKILL } == 1)
    }

    @Test(arguments: [Teardown.fast, .graceful])
    func theTrainingIsAskedFirstAndAtOnce(_ teardown: Teardown) {
        #expect(teardown.steps.first == .init(after: .zero, signal: SIGTERM, target: .training))
    }

    @Test func theFastOneEndsBeforeInitsDeadline() throws {
        let last = try #require(Teardown.fast.steps.last)
        #expect(last.after + .milliseconds(500) <= Init.deadline)
        #expect(Init.deadline < .seconds(4))
    }
}
