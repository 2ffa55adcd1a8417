import Glibc
import Shared
import TestSupport
import Testing

/// The power goes at a random moment: what was not synced by then is not there after.
///
/// The volume is an ext4 file system of its own, which `xfs_io` shuts down without writing what it holds in memory.
@Suite(.serialized, .timeLimit(.minutes(15))) struct TorturePowerTests {
    private static let moments = ProcessEnvironment.all["TORTURE"] == "full" ? 50 : 4

    @Test(.enabled(if: canMount, "loop devices need root, and xfs_io has to be there")) func anyMoment() async throws {
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

    /// Of a run that nothing disturbs.
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
                try Shell.check(["sync", "-f", disk.mountPoint])
                let run = try training.start()
                try await Task.sleep(for: moment)
                try disk.cutPower()
                _ = await site.killAll()
                try await run.end()
                try disk.mountAgain()
                if File.exists(training.agent.folder.path) { try training.checkFiles() }
                try await training.recover(from: try training.state, mayHaveGivenUp: false, losesMemory: true)
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
    }

    private static let canMount =
        getuid() == 0 && (try? Shell.check(["xfs_io", "-V"])) != nil && (try? Shell.check(["losetup", "-f"])) != nil

    private enum Shell {
        static func check(_ words: [String]) throws {
            let (code, output) = try Command.run(words)
            if code != 0 { throw TortureFinding("\(words.joined(separator: " ")): \(code), \(output.text)") }
        }
    }

    /// A small ext4 in a file.
    private struct LoopDisk {
        let image: String
        let mountPoint: String

        init(at site: Site) throws {
            image = "\(site.root)/disk.img"
            mountPoint = "\(site.root)/disk"
            try File.makeFolders(mountPoint)
            try Shell.check(["truncate", "-s", "32M", image])
            try Shell.check(["mkfs.ext4", "-q", "-m0", image])
            try mount(image)
        }

        private func mount(_ image: String) throws { try Shell.check(["mount", "-o", "loop", image, mountPoint]) }

        /// Every call fails from now on, and nothing more reaches the disk.
        func cutPower() throws { try Shell.check(["xfs_io", "-x", "-c", "shutdown", mountPoint]) }

        /// What the disk has, as another disk: a mount namespace elsewhere may keep the one that was shut down.
        func mountAgain() throws {
            try Shell.check(["umount", mountPoint])
            try Shell.check(["cp", "--sparse=always", image, image + ".after"])
            try mount(image + ".after")
        }

        func unmount() { _ = try? Command.run(["umount", "--lazy", mountPoint]) }
    }
}
