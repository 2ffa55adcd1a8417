import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The agent asks until the pod was seen to be over, whatever the provider says.
@Suite(.timeLimit(.minutes(1))) struct PodStopperTests {
    private let clock = SkippingClock()
    private let said = Said()

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: LogLine) { add(line.text) }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func end(_ routes: FakeStopRoute..., way: PodEnd = .stop, call: Duration = .seconds(30)) -> PodStopper {
        PodStopper(
            routes: routes, way: way, pace: PodStopper.Pace(call: call, looks: 3), clock: clock, jitter: { 0 },
            say: said.add)
    }

    @Test func oneThatWorks() async {
        let meter = FakeStopRoute()
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps.isEmpty)
        #expect(said.all.isEmpty)
    }

    @Test func localEndsAtOnce() async {
        await PodStopper(routes: [LocalStopRoute()], way: .stop, say: said.add).run()
        #expect(said.all.isEmpty)
    }

    /// The provider takes some time to do what it was told.
    @Test func itIsReadBackUntilItIsOver() async {
        let meter = FakeStopRoute(look: { $0 >= 3 })
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps == [.seconds(2), .seconds(2)])
        #expect(said.all.isEmpty)
    }

    @Test func oneThatRefusesIsAskedAgainAndAgain() async {
        let meter = FakeStopRoute(answer: { $0 < 4 ? .refused : .taken }, look: { $0 >= 4 })
        await end(meter).run()
        #expect(meter.ends == 4)
        #expect(clock.sleeps == [.seconds(5), .seconds(10), .seconds(20)])
        #expect(
            said.all.prefix(2) == [
                "POD: could not stop the pod by a route: 403 access denied",
                "POD: still running and billed; retrying in 5 s",
            ])
    }

    /// It says yes and does nothing.
    @Test func oneThatLiesIsFoundOut() async {
        let meter = FakeStopRoute(look: { $0 > 3 })
        await end(meter, way: .terminate).run()
        #expect(meter.ends == 2)
        #expect(clock.sleeps == [.seconds(2), .seconds(2), .seconds(5)])
        #expect(
            said.all.first
                == "POD: a route accepted the request to terminate the pod, but the pod's end is not seen: the pod still runs"
        )
    }

    /// The pod's key may be allowed to stop the pod and not to look at it.
    @Test func oneThatDoesNotTellIsNotBelieved() async {
        let meter = FakeStopRoute(look: { if $0 < 4 { throw Problem("403") } else { return true } })
        await end(meter).run()
        #expect(meter.ends == 2)
        #expect(said.all.first?.hasSuffix("the pod's end is not seen: 403") == true)
    }

    /// The request worked, and its answer was lost.
    @Test func oneThatFailsAndWorksIsBelieved() async {
        let meter = FakeStopRoute(answer: { _ in .refused }, look: { _ in true })
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps.isEmpty)
    }

    @Test func oneThatHangsIsLeftBehind() async {
        let (hung, works) = (
            FakeStopRoute("one", answer: { _ in .hangs }, look: { _ in false }), FakeStopRoute("another")
        )
        await end(hung, works, call: .seconds(1)).run()
        #expect((hung.ends, works.ends) == (1, 1))
        #expect(said.all == ["POD: could not stop the pod by one: no answer within 1 s"])
    }

    @Test func theRoutesTakeTurnsInOrder() async {
        let asked = Said()
        let first = FakeStopRoute("one", answer: { _ in .refused }, look: { _ in false }, record: asked.add)
        let second = FakeStopRoute("two", answer: { $0 < 2 ? .refused : .taken }, look: { $0 > 1 }, record: asked.add)
        await end(first, second, way: .terminate).run()
        #expect(asked.all == ["terminate by one", "terminate by two", "terminate by one", "terminate by two"])
    }

    @Test func thePausesAreBoundedAndSpread() {
        let meter = end()
        #expect(
            (0...8).map { meter.pause(after: $0) }
                == [5, 10, 20, 40, 80, 160, 300, 300, 300].map { .seconds($0) })
        #expect(meter.pause(after: 1_000_000) == .seconds(300))
        var early = meter
        early.jitter = { 1 }
        #expect(early.pause(after: 0) == .seconds(2.5))
    }

    @Test func cancellingIsAnEnd() async throws {
        let meter = FakeStopRoute(answer: { _ in .refused }, look: { _ in false })
        let end = PodStopper(routes: [meter], way: .stop, say: said.add)
        let task = Task { await end.run() }
        try await eventuallyTrue("a first round") { meter.ends > 0 }
        task.cancel()
        await task.value
    }

    @Test(
        arguments: [
            (nil, true, .stop), (nil, false, .stop), (OnFinish.stop, true, .stop), (.stop, false, .stop),
            (.terminate, true, .terminate), (.terminate, false, .stop),
        ] as [(OnFinish?, Bool, PodEnd)])
    func onlyWhatIsSafeIsDeleted(_ rule: OnFinish?, isSafe: Bool, way: PodEnd) {
        #expect(PodEnd(rule, isSafe: isSafe) == way)
    }
}
