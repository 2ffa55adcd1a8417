import Glibc
import Shared
import Testing

@testable import Agent

/// The plans only: their steps reach every process below this one, which is for the tests of the whole program.
@Suite struct TeardownTests {
    @Test(arguments: [Teardown.fast, .graceful(), .graceful(grace: .seconds(600)), .dump, .immediate])
    func nothingSurvivesTheLastStep(_ teardown: Teardown) {
        #expect(teardown.steps.last?.signal == SIGKILL)
        #expect(teardown.steps.last?.target == .tree)
        #expect(teardown.steps.map(\.after) == teardown.steps.map(\.after).sorted())
        #expect(teardown.steps.count { $0.signal == SIGKILL } == 1)
    }

    @Test(arguments: [Teardown.fast, .graceful(), .graceful(grace: .seconds(600))])
    func theTrainingIsAskedFirstAndAtOnce(_ teardown: Teardown) {
        #expect(teardown.steps.first == .init(after: .zero, signal: SIGTERM, target: .training, sparesSave: true))
    }

    @Test func theFastOneEndsBeforeInitsDeadline() throws {
        let last = try #require(Teardown.fast.steps.last)
        #expect(last.after + .milliseconds(500) <= Init.deadline)
        #expect(Init.deadline < .seconds(4))
    }

    @Test func aUserSaysHowLong() {
        #expect(Teardown(.now) == .fast)
        #expect(Teardown(.graceful) == .graceful(grace: .seconds(60)))
        let long = Teardown(StopRequest(mode: .graceful, patience: 600))
        #expect(long.steps.map(\.after) == [.zero, .seconds(600), .seconds(605)])
        #expect(long.steps.map(\.signal) == [SIGTERM, SIGTERM, SIGKILL])
        #expect(long.isGraceful && long.grace == .seconds(600) && long.length == .seconds(605))
    }

    @Test func onlyAUsersOneIsPatient() {
        for teardown in [Teardown.fast, .dump, .immediate] { #expect(!teardown.isGraceful) }
    }
}
