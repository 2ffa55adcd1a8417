import Shared
import Synchronization
import Testing

@testable import Launcher

/// Pods that a test makes, moves and ends. A call that was not prepared for fails the test.
final class FakeProvider: Provider {
    struct Unprepared: Error {}

    typealias Creation = @Sendable (PodOrder) throws -> Pod

    private struct State {
        var pods: [Pod] = []
        var orders: [PodOrder] = []
        var terminated: [String] = []
        var creation: Creation?
        var console: String?
        var polls = 0
        var atPoll: [Int: @Sendable () throws -> Void] = [:]
    }

    private let state = Mutex(State())

    /// What was ordered so far.
    var orders: [PodOrder] { state.withLock { $0.orders } }

    /// The pods that were told to end so far.
    var terminated: [String] { state.withLock { $0.terminated } }

    // MARK: What a test says

    func add(_ pod: Pod) { state.withLock { $0.pods.insert(pod, at: 0) } }

    /// The pod lives on as something that is known, its processes are gone.
    func kill(_ id: String) { change(id) { $0.isRunning = false } }

    func move(_ id: String, to address: String?) { change(id) { $0.address = address } }

    func forget(_ id: String) { state.withLock { $0.pods.removeAll { $0.id == id } } }

    func prepareCreation(_ creation: @escaping Creation) { state.withLock { $0.creation = creation } }

    func prepareConsole(_ text: String) { state.withLock { $0.console = text } }

    /// Does something just before the list of pods is read for the `number`th time from now.
    func atPoll(_ number: Int, _ action: @escaping @Sendable () throws -> Void) {
        state.withLock { $0.atPoll[$0.polls + number] = action }
    }

    private func change(_ id: String, _ body: (inout Pod) -> Void) {
        state.withLock { state in
            for index in state.pods.indices where state.pods[index].id == id { body(&state.pods[index]) }
        }
    }

    // MARK: What the launcher asks

    func terminate(_ pod: Pod) async throws {
        state.withLock { $0.terminated.append(pod.id) }
        kill(pod.id)
    }

    func create(_ order: PodOrder) async throws -> Pod {
        let creation = state.withLock { state in
            state.orders.append(order)
            return state.creation
        }
        guard let creation else { return try unprepared("a pod was created") }
        let pod = try creation(order)
        add(pod)
        return pod
    }

    func preview(_ order: PodOrder) throws -> [UInt8] { Array("create \(order.spec.run)".utf8) }

    func pods() async throws -> [Pod] {
        let action = state.withLock { state in
            state.polls += 1
            return state.atPoll.removeValue(forKey: state.polls)
        }
        try action?()
        return state.withLock { $0.pods }
    }

    func token(launch: String) throws -> String { "token of \(launch)" }

    func console(of pod: Pod) -> String {
        guard let text = state.withLock({ $0.console }) else {
            Issue.record("the console of \"\(pod.id)\" was read, and nothing was prepared for that")
            return ""
        }
        return text
    }

    private func unprepared<Value>(_ what: String) throws -> Value {
        Issue.record("\(what), and nothing was prepared for that")
        throw Unprepared()
    }
}

extension Pod {
    /// A pod as tests need it: alive, with an address.
    static func made(
        _ id: String = "pod-1", run: RunFixture, launch: String = "launch-1", isRunning: Bool = true,
        address: String? = "http://pod"
    ) -> Pod {
        Pod(
            id: id, run: run.id, launch: launch, volume: Volume(of: run.folder).root, isRunning: isRunning,
            address: address)
    }
}
