import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct HeartbeatTests {
    private let run: TestRun
    private let volume = VolumeWriter()

    init() throws { run = try TestRun() }

    private func beat(_ attempt: Int = 1) -> Task<Void, Never> {
        let heartbeat = Heartbeat(run: run.folders, attempt: attempt, volume: volume) { (12.5, 40) }
        return Task { await heartbeat.beat() }
    }

    private func count() throws -> Int? {
        let path = run.folders.beatPath(1)
        // A heartbeat is written in place, so a read may get only a part of it.
        return try File.exists(path) ? (try? JSON.decode(Beat.self, from: try File.read(path)))?.count : nil
    }

    @Test("the heartbeat changes until it is cancelled")
    func changes() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventuallyTrue(within: .seconds(60)) { try count() == 1 }
        try await eventuallyTrue(within: .seconds(60)) { try count() == 2 }
        task.cancel()
        try await within(.seconds(60)) { await task.value }
    }

    @Test("the heartbeat holds the attempt's seconds and the training's step")
    func progress() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventuallyTrue(within: .seconds(60)) { try count() == 1 }
        task.cancel()
        let beat = try JSON.decode(Beat.self, from: try File.read(run.folders.beatPath(1)))
        #expect(beat.seconds == 12.5)
        #expect(beat.step == 40)
    }

    /// A shorter one would leave the rest of a longer one behind it.
    @Test("every heartbeat has the same length")
    func oneLength() async throws {
        try run.attempt(1)
        let pulses = Monitor(0)
        let heartbeat = Heartbeat(run: run.folders, attempt: 1, volume: volume) {
            pulses.update { $0 += 1 }
            return pulses.read { $0 } == 1 ? (123_456_789.123_456_7, 1_234_567_890.125) : (1, nil)
        }
        let task = Task { await heartbeat.beat() }
        try await eventuallyTrue(within: .seconds(60)) { try count() == 1 }
        let size = try File.read(run.folders.beatPath(1)).count
        try await eventuallyTrue(within: .seconds(60)) { try count() == 2 }
        #expect(try File.read(run.folders.beatPath(1)).count == size)
        task.cancel()
    }

    @Test("a fenced volume ends the heartbeat before it writes anything")
    func fence() async throws {
        try run.attempt(1)
        volume.fence()
        try await within(.seconds(60)) { [self] in await beat().value }
        #expect(try !File.exists(run.folders.beatPath(1)))
    }

    @Test("a higher claim ends the heartbeat before it writes anything")
    func higherClaim() async throws {
        try run.attempt(1)
        try run.attempt(2)
        try await within(.seconds(60)) { [self] in await beat().value }
        #expect(try !File.exists(run.folders.beatPath(1)))
    }

    @Test("a higher claim that comes later ends the heartbeat before its next write")
    func laterClaim() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventuallyTrue(within: .seconds(60)) { try count() == 1 }
        try run.attempt(2)
        try await within(.seconds(60)) { await task.value }
        #expect(try count() == 1)
    }

    @Test("a higher claim made while the volume hung ends the heartbeat before it writes anything")
    func claimDuringHang() async throws {
        try run.attempt(1)
        let gate = volume.hang()
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        let task = beat()
        try run.attempt(2)
        gate.open()
        try await within(.seconds(60)) { await task.value }
        #expect(try !File.exists(run.folders.beatPath(1)))
    }

    @Test("the heartbeat continues after the volume refused a write")
    func refusedWrite() async throws {
        try File.removeTree(run.folders.attempts)
        let task = beat()
        // By then the volume has refused the first heartbeat.
        _ = try await within(.seconds(60)) { [volume] in try await volume.perform {} }
        try File.makeFolders(run.folders.attempts)
        try await eventuallyTrue(within: .seconds(60)) { try count() == 2 }
        task.cancel()
    }
}
