import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The agent asks until it has seen that the pod is over, whatever the provider answers.
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

    @Test("a stop route that works is asked once, without a pause or a log line")
    func works() async {
        let meter = FakeStopRoute()
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps.isEmpty)
        #expect(said.all.isEmpty)
    }

    @Test("the stop route of a local pod ends at once, without a log line")
    func local() async {
        await PodStopper(routes: [LocalStopRoute()], way: .stop, say: said.add).run()
        #expect(said.all.isEmpty)
    }

    /// A provider may take some time.
    @Test("the pod's state is checked after an accepted stop request until the pod is over")
    func readBack() async {
        let meter = FakeStopRoute(check: { $0 >= 3 })
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps == [.seconds(2), .seconds(2)])
        #expect(said.all.isEmpty)
    }

    @Test("a stop route that refuses is asked again after growing pauses")
    func refuses() async {
        let meter = FakeStopRoute(answer: { $0 < 4 ? .refused : .taken }, check: { $0 >= 4 })
        await end(meter).run()
        #expect(meter.ends == 4)
        #expect(clock.sleeps == [.seconds(5), .seconds(10), .seconds(20)])
        #expect(
            said.all.prefix(2) == [
                "POD: could not stop the pod by a route: 403 access denied",
                "POD: still running and billed; retrying in 5 s",
            ])
    }

    @Test("a stop route that accepts the request and does nothing is asked again")
    func acceptsAndDoesNothing() async {
        let meter = FakeStopRoute(check: { $0 > 3 })
        await end(meter, way: .terminate).run()
        #expect(meter.ends == 2)
        #expect(clock.sleeps == [.seconds(2), .seconds(2), .seconds(5)])
        #expect(
            said.all.first
                == "POD: a route accepted the request to terminate the pod, but the pod's end is not seen: the pod still runs"
        )
    }

    /// The pod's key may be allowed to stop the pod and not to read its state.
    @Test("a stop route that accepts the request is asked again while the pod's state cannot be read")
    func unreadableState() async {
        let meter = FakeStopRoute(check: { if $0 < 4 { throw Problem("403") } else { return true } })
        await end(meter).run()
        #expect(meter.ends == 2)
        #expect(said.all.first?.hasSuffix("the pod's end is not seen: 403") == true)
    }

    /// The request may have worked although its answer was lost.
    @Test("a stop route that refuses the request is not asked again once the pod is over")
    func refusesAndWorks() async {
        let meter = FakeStopRoute(answer: { _ in .refused }, check: { _ in true })
        await end(meter).run()
        #expect(meter.ends == 1)
        #expect(clock.sleeps.isEmpty)
    }

    @Test("a stop route that hangs is left at its timeout, and the next route is asked")
    func hangs() async {
        let (hung, works) = (
            FakeStopRoute("one", answer: { _ in .hangs }, check: { _ in false }), FakeStopRoute("another")
        )
        await end(hung, works, call: .seconds(1)).run()
        #expect((hung.ends, works.ends) == (1, 1))
        #expect(said.all == ["POD: could not stop the pod by one: no answer within 1 s"])
    }

    @Test("the stop routes are asked in turn, again and again")
    func turns() async {
        let asked = Said()
        let first = FakeStopRoute("one", answer: { _ in .refused }, check: { _ in false }, record: asked.add)
        let second = FakeStopRoute("two", answer: { $0 < 2 ? .refused : .taken }, check: { $0 > 1 }, record: asked.add)
        await end(first, second, way: .terminate).run()
        #expect(asked.all == ["terminate by one", "terminate by two", "terminate by one", "terminate by two"])
    }

    @Test("the pauses between requests to stop the pod double up to 5 minutes, less up to half at random")
    func pauses() {
        let meter = end()
        #expect(
            (0...8).map { meter.pause(after: $0) }
                == [5, 10, 20, 40, 80, 160, 300, 300, 300].map { .seconds($0) })
        #expect(meter.pause(after: 1_000_000) == .seconds(300))
        var early = meter
        early.jitter = { 1 }
        #expect(early.pause(after: 0) == .seconds(2.5))
    }

    @Test("a cancelled pod stopper ends")
    func cancelled() async throws {
        let meter = FakeStopRoute(answer: { _ in .refused }, check: { _ in false })
        let end = PodStopper(routes: [meter], way: .stop, say: said.add)
        let task = Task { await end.run() }
        try await eventuallyTrue("a first round") { meter.ends > 0 }
        task.cancel()
        await task.value
    }

    @Test(
        "a pod is terminated only if the config says so and it is safe, else stopped",
        arguments: [
            (nil, true, .stop), (nil, false, .stop), (OnFinish.stop, true, .stop), (.stop, false, .stop),
            (.terminate, true, .terminate), (.terminate, false, .stop),
        ] as [(OnFinish?, Bool, PodEnd)])
    func terminatesOnlyIfSafe(_ rule: OnFinish?, isSafe: Bool, way: PodEnd) {
        #expect(PodEnd(rule, isSafe: isSafe) == way)
    }
}
