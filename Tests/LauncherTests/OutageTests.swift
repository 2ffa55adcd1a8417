import Testing

@testable import Launcher

@Suite struct OutageTests {
    private let start = ContinuousClock.now

    @Test("an agent's outage is reported once after its timeout and once when it is over")
    func notes() {
        var outage = Outage(timeout: .seconds(5))
        let said = [0, 1, 4, 5, 6, 600].map { outage.failed("r\($0)", at: start + .seconds($0)) }
        #expect(said == [nil, nil, nil, "the agent does not answer (r5); still trying", nil, nil])
        #expect(outage.answered() == "the agent answers again")
        #expect(outage.answered() == nil)
    }

    @Test("each outage of an agent is timed from its own start")
    func nextOutage() {
        var outage = Outage(timeout: .seconds(5))
        _ = outage.failed("a", at: start)
        #expect(outage.answered() == nil)
        #expect(outage.failed("b", at: start + .seconds(9)) == nil)
        #expect(outage.failed("c", at: start + .seconds(14)) != nil)
    }

    @Test("the follower's pause between two tries doubles up to 2 s until bytes arrive")
    func pauses() {
        var outage = Outage()
        #expect(outage.pause == .zero)
        let pauses = (0..<9).map { _ in
            _ = outage.failed("r")
            return outage.pause
        }
        #expect(pauses == [40, 80, 160, 320, 640, 1280, 2000, 2000, 2000].map { Duration.milliseconds($0) })
        _ = outage.answered()
        #expect(outage.pause == .seconds(2), "an answer without bytes may be all there is")
        outage.broughtBytes()
        #expect(outage.pause == .zero)
        outage.broughtNothing()
        #expect(outage.pause == .milliseconds(40))
    }
}
