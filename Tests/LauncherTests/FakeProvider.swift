import Foundation
import Shared
import Synchronization
import Testing

@testable import Launcher

/// A provider whose pods a test makes, moves and ends. A call that the test did not prepare fails the test.
final class FakeProvider: Provider {
    struct Unprepared: Error {}

    let name = ProviderName.local
    /// The volume of runs whose config names none.
    let volume: Volume

    init(volume: Volume) { self.volume = volume }

    typealias Creation = @Sendable (PodOrder) throws -> Pod

    private struct State {
        var pods: [Pod] = []
        var orders: [PodOrder] = []
        var ended: [String] = []
        var stopped: [String] = []
        var remembered: [RunID: PodPlace] = [:]
        var podsProblem: Problem?
        var creation: Creation?
        var console: String?
        var polls = 0
        var atPoll: [Int: @Sendable () throws -> Void] = [:]
    }

    private let state = Mutex(State())

    /// The orders so far.
    var orders: [PodOrder] { state.withLock { $0.orders } }

    /// The pods that were interrupted so far.
    var interrupted: [String] { state.withLock { $0.ended } }

    /// The pods that have the mark of a user who stopped them.
    var markedStopped: [String] { state.withLock { $0.stopped } }

    // MARK: Calls of a test

    func add(_ pod: Pod) { state.withLock { $0.pods.insert(pod, at: 0) } }

    /// The pod stays known, its processes are gone.
    func kill(_ id: String) { change(id) { $0.state = .gone("killed") } }

    /// From now on its pods cannot be listed.
    func fail(_ problem: Problem) { state.withLock { $0.podsProblem = problem } }

    func move(_ id: String, to address: String?) { change(id) { $0.address = address } }

    func forget(_ id: String) { state.withLock { $0.pods.removeAll { $0.id == id } } }

    func prepareCreation(_ creation: @escaping Creation) { state.withLock { $0.creation = creation } }

    func prepareConsole(_ text: String) { state.withLock { $0.console = text } }

    /// Calls `action` just before the launcher reads the list of pods for the `number`th time from now.
    func atPoll(_ number: Int, _ action: @escaping @Sendable () throws -> Void) {
        state.withLock { $0.atPoll[$0.polls + number] = action }
    }

    private func change(_ id: String, _ body: (inout Pod) -> Void) {
        state.withLock { state in
            for index in state.pods.indices where state.pods[index].id == id { body(&state.pods[index]) }
        }
    }

    // MARK: Calls of the launcher

    func place(for resources: Resources) -> PodPlace {
        if case .folder(let path) = resources.volume { .folder(path) } else { .folder(volume.root) }
    }

    func offers(for order: PodOrder) async throws -> [Offer] { [Offer(text: "a fake")] }

    func end(_ pod: Pod, _ way: PodShutdown) async throws {
        #expect(way == .interrupt)
        state.withLock { $0.ended.append(pod.id) }
        kill(pod.id)
    }

    func markOver(_ pod: Pod) async throws { state.withLock { $0.stopped.append(pod.id) } }

    func start(_ pod: Pod, with order: PodOrder) async throws -> Pod { try unprepared("a pod was started again") }

    func startup(of pod: Pod) async -> PodStartup { PodStartup(phase: "", timeout: .seconds(60)) }

    func runs() async throws -> [RunID: PodPlace] {
        let remembered = state.withLock { $0.remembered }
        return Dictionary(volume.runs.map { ($0, PodPlace.folder(volume.root)) }) { first, _ in first }
            .merging(remembered) { $1 }
    }

    func remember(_ run: RunID, at place: PodPlace) throws { state.withLock { $0.remembered[run] = place } }

    func source(of run: RunID, at place: PodPlace, pod: Pod?) -> any RunSource {
        FolderSource(volume: place.hostVolume ?? volume)
    }

    func create(_ order: PodOrder, at offer: Offer) async throws -> Pod {
        let creation = state.withLock { state in
            state.orders.append(order)
            return state.creation
        }
        guard let creation else { return try unprepared("a pod was created") }
        let pod = try creation(order)
        add(pod)
        return pod
    }

    func preview(_ order: PodOrder, at offer: Offer) throws -> [UInt8] { Array("create \(order.spec.run)".utf8) }

    func pods() async throws -> [Pod] {
        let action = state.withLock { state in
            state.polls += 1
            return state.atPoll.removeValue(forKey: state.polls)
        }
        try action?()
        if let problem = state.withLock({ $0.podsProblem }) { throw problem }
        return state.withLock { $0.pods }
    }

    func token(launch: String) async throws -> String { "token of \(launch)" }

    func console(of pod: Pod) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { lines in
            if let text = state.withLock({ $0.console }) {
                lines.yield(text)
            } else {
                Issue.record("the console of \"\(pod.id)\" was read, and nothing was prepared for that")
            }
            lines.finish()
        }
    }

    private func unprepared<Value>(_ what: String) throws -> Value {
        Issue.record("\(what), and nothing was prepared for that")
        throw Unprepared()
    }
}

extension Pod {
    /// A pod of another container: whether it runs cannot be seen.
    static func unseen(_ id: String = "pod-1", run: RunFixture, address: String? = nil) -> Pod {
        var pod = made(id, run: run, address: address)
        pod.state = .unseen("another container")
        return pod
    }

    /// A pod as tests need it: alive, with an address.
    static func made(
        _ id: String = "pod-1", run: RunFixture, launch: String = "launch-1", isRunning: Bool = true,
        address: String? = "http://pod"
    ) -> Pod {
        Pod(
            provider: .local, id: id, run: run.id, launch: launch, state: isRunning ? .running : .gone("it has ended"),
            place: .folder(Volume(of: run.folder).root), created: RunFixture.began, address: address)
    }
}
