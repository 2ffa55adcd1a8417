import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct JournalTests {
    private let run: TestRun
    private let volume = VolumeWriter()
    private let journal: Journal

    init() throws {
        run = try TestRun()
        let claim = try run.attempt(1)
        journal = Journal(AttemptRecord(claim: claim, run: run.id, spec: "f"), run: run.folders, volume: volume)
    }

    @Test("a durable record can be read from the volume")
    func durable() async throws {
        journal.change { $0.state = .training }
        #expect(journal.current.state == .training)
        let isDurable = try await within(.seconds(60)) { [journal] in await journal.durable(within: .seconds(30)) }
        #expect(isDurable)
        #expect(try run.folders.readRecord(1) == journal.current)
    }

    @Test("a record that changes after the volume is fenced does not become durable")
    func fenced() async throws {
        volume.fence()
        journal.change { $0.state = .training }
        let isDurable = try await within(.seconds(60)) { [journal] in await journal.durable(within: .seconds(30)) }
        #expect(!isDurable)
        #expect(try run.folders.readRecord(1) == nil)
    }

    @Test("a change of the record reaches the volume without a request")
    func change() async throws {
        journal.change { $0.outcome = Outcome(.interrupted) }
        try await eventuallyTrue(within: .seconds(60)) {
            try run.folders.readRecord(1)?.outcome == Outcome(.interrupted)
        }
    }

    @Test("changes of the record reach the volume in order")
    func order() async throws {
        let seen = Task { [run] in
            var offsets: [Int] = []
            while offsets.last != 200 {
                if let record = try run.folders.readRecord(1), record.logStart != offsets.last {
                    offsets.append(record.logStart)
                }
                try await Task.sleep(for: .microseconds(200))
            }
            return offsets
        }
        for number in 1...200 { journal.change { $0.logStart = number } }
        let offsets = try await within(.seconds(60)) { try await seen.value }
        #expect(offsets == offsets.sorted())
    }

    @Test("the agent waits only until a timeout for a volume that refuses the record")
    func refusingVolume() async throws {
        try File.removeTree(run.folders.attempts)
        journal.change { $0.state = .finishing }
        let isDurable = try await within(.seconds(20)) { [journal] in await journal.durable(within: .milliseconds(100))
        }
        #expect(!isDurable)
        try File.makeFolders(run.folders.attempts)
        let isNow = try await within(.seconds(60)) { [journal] in await journal.durable(within: .seconds(30)) }
        #expect(isNow)
        #expect(try run.folders.readRecord(1)?.state == .finishing)
    }

    @Test("a record that the volume refused at first becomes durable when the volume recovers in time")
    func recoveringVolume() async throws {
        try File.removeTree(run.folders.attempts)
        let waiter = Task { [journal] in
            journal.change { $0.state = .finishing }
            return await journal.durable(within: .seconds(60))
        }
        try await eventuallyTrue(within: .seconds(60)) { journal.current.state == .finishing }
        try File.makeFolders(run.folders.attempts)
        #expect(try await within(.seconds(60)) { await waiter.value })
    }

    /// The agent must still stop the pod.
    @Test("the agent waits only until a timeout for a record on a volume that hangs")
    func hangingVolume() async throws {
        let gate = volume.hang()
        journal.change { $0.state = .finishing }
        let isDurable = try await within(.seconds(20)) { [journal] in await journal.durable(within: .milliseconds(100))
        }
        #expect(!isDurable)
        gate.open()
    }
}
