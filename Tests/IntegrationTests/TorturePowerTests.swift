import Shared
import TestSupport
import Testing

/// The power goes at a random moment, and bytes that were not synced by then are lost.
///
/// The volume is an ext4 file system, which `xfs_io` shuts down without writing its memory to the disk.
@Suite(.serialized, .timeLimit(.minutes(15))) struct TorturePowerTests {
    private static let moments = Torture.isFull ? 50 : 4

    @Test(
        "a restart finishes the run after a loss of power at any moment",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func lossOfPower() async throws {
        var failures: [String] = []
        let length = try await Self.length()
        let start = ContinuousClock.now
        for number in 0..<Self.moments {
            let moment = length * Double.random(in: 0...1.1)
            do { try await Self.cutPower(after: moment) } catch {
                failures.append("\(number), after \(moment): \(error)")
            }
        }
        print("torture: \(Self.moments) losses of power in \(ContinuousClock.now - start), \(failures.count) failures")
        #expect(failures == [])
    }

    /// The duration of an undisturbed run.
    private static func length() async throws -> Duration {
        var length: Duration = .zero
        try await Site.with { site in
            let disk = try LoopDisk(at: site)
            defer { disk.unmount() }
            let training = try TortureTraining(at: site, volume: disk.mountPoint)
            length = try await ContinuousClock().measure { try await training.start().check() }
        }
        return length
    }

    private static func cutPower(after moment: Duration) async throws {
        var finding: (any Error)?
        try await Site.with { site in
            let disk = try LoopDisk(at: site)
            defer { disk.unmount() }
            do {
                let training = try TortureTraining(at: site, volume: disk.mountPoint)
                try LoopDisk.run(["sync", "-f", disk.mountPoint])
                let run = try training.start()
                try await Task.sleep(for: moment)
                try disk.cutPower()
                _ = await site.killAll()
                try await run.end()
                try disk.mountAgain()
                if try File.exists(training.agent.folder.path) { try training.checkFiles() }
                try await training.recover(from: try training.state, mayHaveGivenUp: false, losesMemory: true)
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
    }
}
