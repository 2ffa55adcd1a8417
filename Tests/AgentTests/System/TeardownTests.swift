import Glibc
import Shared
import Testing

@testable import Agent

/// The plans of teardowns. Their steps would reach every process below this one, so no unit test runs them.
@Suite struct TeardownTests {
    @Test(
        "every teardown ends with one SIGKILL to the whole process tree",
        arguments: [Teardown.fast, .graceful(), .graceful(grace: .seconds(600)), .dump, .immediate])
    func killsLast(_ teardown: Teardown) {
        #expect(teardown.steps.last?.signal == SIGKILL)
        #expect(teardown.steps.last?.target == .tree)
        #expect(teardown.steps.map(\.after) == teardown.steps.map(\.after).sorted())
        #expect(teardown.steps.count { $0.signal == SIGKILL } == 1)
    }

    @Test(
        "a fast or graceful teardown begins with an immediate SIGTERM to the training",
        arguments: [Teardown.fast, .graceful(), .graceful(grace: .seconds(600))])
    func termFirst(_ teardown: Teardown) {
        #expect(teardown.steps.first == .init(after: .zero, signal: SIGTERM, target: .training, sparesSave: true))
    }

    @Test("the fast teardown ends half a second before init's deadline, which is below 4 seconds")
    func beforeDeadline() throws {
        let last = try #require(Teardown.fast.steps.last)
        #expect(last.after + .milliseconds(500) <= Init.deadline)
        #expect(Init.deadline < .seconds(4))
    }

    @Test("a stop request gives the training 60 seconds, or the grace that it names")
    func userGrace() {
        #expect(Teardown(.now) == .fast)
        #expect(Teardown(.graceful) == .graceful(grace: .seconds(60)))
        let long = Teardown(StopRequest(mode: .graceful, grace: .seconds(600)))
        #expect(long.steps.map(\.after) == [.zero, .seconds(600), .seconds(605)])
        #expect(long.steps.map(\.signal) == [SIGTERM, SIGTERM, SIGKILL])
        #expect(long.isGraceful && long.grace == .seconds(600) && long.length == .seconds(605))
    }

    @Test("only a graceful teardown is a patient one")
    func onlyGraceful() {
        for teardown in [Teardown.fast, .dump, .immediate] { #expect(!teardown.isGraceful) }
    }
}
