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
        // A beat is written in place, so that it may be read half.
        return File.exists(path) ? (try? JSON.decode(Beat.self, from: try File.read(path)))?.count : nil
    }

    @Test func itChangesUntilItIsCancelled() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventually { try count() == 1 }
        try await eventually { try count() == 2 }
        task.cancel()
        try await within(.seconds(60)) { await task.value }
    }

    @Test func itTellsHowFarTheTrainingIs() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventually { try count() == 1 }
        task.cancel()
        let beat = try JSON.decode(Beat.self, from: try File.read(run.folders.beatPath(1)))
        #expect(beat.seconds == 12.5)
        #expect(beat.step == 40)
    }

    /// A shorter one after a longer one leaves no rest behind it.
    @Test func everyBeatHasOneLength() async throws {
        try run.attempt(1)
        let pulses = Monitor(0)
        let heartbeat = Heartbeat(run: run.folders, attempt: 1, volume: volume) {
            pulses.update { $0 += 1 }
            return pulses.read { $0 } == 1 ? (123_456_789.123_456_7, 1_234_567_890.125) : (1, nil)
        }
        let task = Task { await heartbeat.beat() }
        try await eventually { try count() == 1 }
        let size = try File.read(run.folders.beatPath(1)).count
        try await eventually { try count() == 2 }
        #expect(try File.read(run.folders.beatPath(1)).count == size)
        task.cancel()
    }

    @Test func aFenceEndsIt() async throws {
        try run.attempt(1)
        volume.fence()
        try await within(.seconds(60)) { [self] in await beat().value }
        #expect(!File.exists(run.folders.beatPath(1)))
    }

    @Test func aHigherClaimEndsItBeforeItWritesAnything() async throws {
        try run.attempt(1)
        try run.attempt(2)
        try await within(.seconds(60)) { [self] in await beat().value }
        #expect(!File.exists(run.folders.beatPath(1)))
    }

    @Test func aClaimThatComesLaterEndsItToo() async throws {
        try run.attempt(1)
        let task = beat()
        try await eventually { try count() == 1 }
        try run.attempt(2)
        try await within(.seconds(60)) { await task.value }
        #expect(try count() == 1)
    }

    /// After a hang it looks before it does anything else.
    @Test func aClaimThatCameDuringAHangEndsIt() async throws {
        try run.attempt(1)
        let gate = volume.hang()
        try await eventually { gate.isReached }
        let task = beat()
        try run.attempt(2)
        gate.open()
        try await within(.seconds(60)) { await task.value }
        #expect(!File.exists(run.folders.beatPath(1)))
    }

    @Test func aVolumeThatRefusesEndsNothing() async throws {
        try File.removeTree(run.folders.attempts)
        let task = beat()
        // The first beat has been refused by then.
        _ = try await within(.seconds(60)) { [volume] in try await volume.perform {} }
        try File.makeFolders(run.folders.attempts)
        try await eventually { try count() == 2 }
        task.cancel()
    }
}
