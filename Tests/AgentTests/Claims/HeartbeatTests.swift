import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct HeartbeatTests {
    private let run: TestRun
    private let volume = VolumeWriter()

    init() throws { run = try TestRun() }

    private func beat(_ attempt: Int = 1) -> Task<Void, Never> {
        let heartbeat = Heartbeat(run: run.folders, attempt: attempt, volume: volume)
        return Task { await heartbeat.beat() }
    }

    private func count() throws -> Int? {
        let path = run.folders.beat(1)
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

    @Test func aHigherClaimEndsItBeforeItWritesAnything() async throws {
        try run.attempt(1)
        try run.attempt(2)
        try await within(.seconds(60)) { [self] in await beat().value }
        #expect(!File.exists(run.folders.beat(1)))
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
        #expect(!File.exists(run.folders.beat(1)))
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
