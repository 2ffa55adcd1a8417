import Shared
import Testing

@testable import Launcher

/// The state of a run, from the records on its volume and from its pod.
@Suite struct RunViewTests {
    enum Owner { case none, alive, dead, elsewhere, unknown }
    enum Record { case none, syncing, training, finishing, ended(Outcome) }
    enum PodKind { case none, owner(Bool), other(Bool), unseen }

    struct Case: CustomTestStringConvertible {
        var claim: Owner?
        var record = Record.none
        var pod = PodKind.none
        var state: RunView.State
        var isLive: Bool { state.isLive }

        init(_ claim: Owner?, _ record: Record, _ pod: PodKind, _ state: RunView.State) {
            (self.claim, self.record, self.pod, self.state) = (claim, record, pod, state)
        }

        var testDescription: String { "\(claim.map { "\($0)" } ?? "no claim"), \(record), \(pod)" }
    }

    static let cases: [Case] = [
        // Nothing is claimed yet.
        Case(nil, .none, .owner(true), .starting),
        Case(nil, .none, .owner(false), .lost),
        Case(nil, .none, .none, .lost),
        // Claimed, and no record yet.
        Case(.unknown, .none, .owner(true), .starting),
        Case(.unknown, .none, .owner(false), .lost),
        Case(.alive, .none, .none, .starting),
        Case(.dead, .none, .none, .lost),
        // The record of an attempt that still runs.
        Case(.unknown, .training, .owner(true), .active(.training)),
        Case(.unknown, .syncing, .owner(true), .active(.syncing)),
        Case(.unknown, .finishing, .owner(true), .active(.finishing)),
        // The record says "training" and the pod is gone.
        Case(.unknown, .training, .owner(false), .lost),
        Case(.dead, .training, .none, .lost),
        Case(.dead, .training, .owner(false), .lost),
        // Nothing shows whether the owner lives, and its heartbeat stands still.
        Case(.unknown, .training, .none, .unknown),
        Case(.elsewhere, .training, .none, .unknown),
        Case(.elsewhere, .none, .none, .unknown),
        Case(.elsewhere, .training, .unseen, .unknown),
        Case(nil, .none, .unseen, .unknown),
        Case(.elsewhere, .ended(.finished), .unseen, .ended(.finished)),
        // The pod was forgotten, its process lives.
        Case(.alive, .training, .none, .active(.training)),
        Case(.alive, .finishing, .owner(false), .active(.finishing)),
        // The end is on record, whatever the pod does.
        Case(.unknown, .ended(.finished), .none, .ended(.finished)),
        Case(.unknown, .ended(.finished), .owner(true), .ended(.finished)),
        Case(.alive, .ended(Outcome(.stopped)), .owner(true), .ended(.stopped)),
        Case(.dead, .ended(Outcome(.setupFailed)), .owner(false), .ended(.setupFailed)),
        Case(.dead, .ended(Outcome(.interrupted)), .other(false), .ended(.interrupted)),
        // A new pod lives that has not claimed the run.
        Case(.dead, .ended(.finished), .other(true), .starting),
        Case(.dead, .training, .other(true), .starting),
        Case(.dead, .training, .other(false), .lost),
    ]

    private let test: TestWorld

    init() throws { test = try TestWorld() }

    private func view(of run: RunFixture, pod: Pod? = nil) async throws -> RunView {
        let known = KnownRun(id: run.id, provider: test.provider, place: .folder(test.provider.volume.root), pod: pod)
        return try await RunView.load(known, heartbeat: HeartbeatWatch(timeout: .milliseconds(50)))
    }

    @Test("a run's state follows from its claim, its record and its pod", arguments: cases)
    func state(of example: Case) async throws {
        let run = try test.run()
        if let owner = example.claim {
            let process: ProcessIdentity? =
                switch owner {
                case .alive: try .alive()
                case .dead: try .dead()
                case .elsewhere: try .elsewhere()
                case .none, .unknown: nil
                }
            let claim = try run.claim(process: process)
            switch example.record {
            case .none: break
            case .syncing: try run.record(claim) { $0.state = .syncing }
            case .training: try run.record(claim)
            case .finishing: try run.record(claim) { $0.state = .finishing }
            case .ended(let outcome): try run.end(claim, outcome)
            }
        }
        let pod: Pod? =
            switch example.pod {
            case .none: nil
            case .owner(let isRunning): .made(run: run, isRunning: isRunning)
            case .other(let isRunning): .made("pod-2", run: run, isRunning: isRunning)
            case .unseen: .unseen(run: run)
            }
        let view = try await view(of: run, pod: pod)
        #expect(view.state == example.state)
    }

    @Test("a run's state is that of its highest attempt") func highestAttempt() async throws {
        let run = try test.run()
        try run.end(try run.claim(1), .finished)
        try run.end(try run.claim(2), Outcome(.failed, exit: .code(1)))
        let last = try run.claim(10, process: .dead())
        #expect(try await view(of: run).state == .lost, "the tenth attempt died before it wrote a record")
        try run.end(last, Outcome(.stopped))
        #expect(try await view(of: run).state == .ended(.stopped))
        #expect(try await view(of: run).attempts().map(\.number) == [1, 2, 10])
    }

    @Test(
        "each state of a run has its word, and is live or not",
        arguments: [
            (RunView.State.starting, "starting", true), (.active(.training), "training", true),
            (.ended(.setupFailed), "setup-failed", false), (.lost, "lost", false), (.unknown, "unknown", false),
        ])
    func words(state: RunView.State, word: String, isLive: Bool) {
        #expect(state.word == word)
        #expect(state.isLive == isLive)
    }

    @Test("an error about a damaged record names its file") func damagedRecord() async throws {
        let run = try test.run()
        let claim = try run.claim()
        try File.write([], over: run.folder.recordPath(claim.number))
        let problem = try await #require(throws: Problem.self) { try await view(of: run) }
        #expect(problem.sentence.hasPrefix("\"\(run.folder.path)/attempts/0001.json\" is damaged"))
    }
}
