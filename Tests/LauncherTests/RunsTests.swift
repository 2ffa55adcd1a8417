import Shared
import Testing

@testable import Launcher

@Suite struct RunsTests {
    private let test: TestWorld
    private var runs: Runs { Runs(world: test.world) }

    init() throws { test = try TestWorld() }

    private func failure(_ name: String?) async throws -> Failure {
        try await #require(throws: Failure.self) { try await runs.find(name) }
    }

    @Test("finding a run fails with a hint if there is no run")
    func noRun() async throws {
        let unnamed = try await failure(nil)
        #expect(unnamed.exit == .usage)
        #expect(
            unnamed.problem.description == "there is no run\nhint: start one with \"launch run config.yaml\"")
        let named = try await failure("demo")
        #expect(named.exit == .usage)
        #expect(named.problem.description == "there is no run \"demo\"")
    }

    @Test("the only run is found without its name")
    func onlyRun() async throws {
        try test.run("only").claim()
        #expect(try await runs.find(nil).id.text == "only")
        #expect(try await runs.find("only").id.text == "only")
    }

    @Test("finding a run without its name fails and lists the runs if there are several")
    func severalRuns() async throws {
        for name in ["b", "a", "c"] { try test.run(name).claim() }
        let failure = try await failure(nil)
        #expect(failure.exit == .usage)
        #expect(failure.problem.description == "there is more than one run\nhint: name one of: a, b, c")
        #expect(try await runs.find("b").id.text == "b")
        #expect(try await self.failure("d").problem.hint == "the runs are: a, b, c")
    }

    @Test("a run on another volume is found by its pod")
    func otherVolume() async throws {
        let volume = Volume(root: "\(test.home)/other")
        let run = try RunFixture("far", on: volume)
        try run.end(try run.claim(), .finished)
        test.provider.add(.made(run: run, isRunning: false))
        let view = try await runs.find(nil)
        #expect(view.folder == run.folder)
        #expect(view.state == .ended(.finished))
    }

    @Test("a run is read from the volume of its newest pod")
    func newestPod() async throws {
        let run = try test.run()
        try run.claim(pod: "pod-1")
        let moved = try RunFixture("demo", on: Volume(root: "\(test.home)/other"))
        try moved.record(try moved.claim(pod: "pod-2"))
        test.provider.add(.made("pod-1", run: run, isRunning: false))
        test.provider.add(.made("pod-2", run: moved))
        let view = try await runs.find("demo")
        #expect(view.folder == moved.folder)
        #expect(view.pod?.id == "pod-2")
    }

    @Test("a refreshed run stays on its volume after its pod was forgotten")
    func refreshed() async throws {
        let run = try RunFixture("demo", on: Volume(root: "\(test.home)/other"))
        let claim = try run.claim()
        test.provider.add(.made(run: run))
        let view = try await runs.find("demo")
        test.provider.forget("pod-1")
        try run.end(claim, .finished)
        let later = try await runs.refreshed(view)
        #expect(later.folder == run.folder)
        #expect(later.pod == nil)
        #expect(later.state == .ended(.finished))
    }

    @Test("a folder whose name is no run's name is not taken for a run")
    func notARun() async throws {
        try test.run("demo").claim()
        try File.makeFolders("\(test.provider.volume.root)/runs/Not A Run")
        #expect(await runs.known().runs.map(\.id.text) == ["demo"])
    }

    @Test("a pod whose agent has no address has no client") func noAddress() async throws {
        let run = try test.run()
        #expect(try await runs.agent(of: Pod.made(run: run, address: nil)) == nil)
        #expect(try await runs.agent(of: Pod.made(run: run, address: "http://x"))?.address == "http://x")
    }
}
