import Glibc
import Shared
import TestSupport
import Testing

/// The training saves file by file, in place and without a sync. The test kills its pods at random moments.
///
/// `make torture` kills a hundred pods instead of a few. `RECEIPT_SEED` repeats an earlier run's moments.
@Suite(.serialized, .timeLimit(.minutes(20))) struct ReceiptTests {
    private static let seed =
        ProcessEnvironment.all["RECEIPT_SEED"].flatMap { Int($0) } ?? Int.random(in: 0..<1_000_000)

    /// The newest checkpoint at the moment when a pod was killed.
    private struct Loss {
        /// The highest step of all checkpoints.
        var newest: Int
        /// Whether the checkpoint of that step is incomplete.
        var isTorn: Bool
    }

    @Test("the training resumes from the newest whole and proven checkpoint whenever its pod is killed")
    func kills() async throws {
        try await Site.with { site in
            var saver = try SlowSaver(at: site)
            // Several kills in a row may come before the next checkpoint.
            saver.agent.spec.retry.crash = 10
            var generator = SeededGenerator(seed: Self.seed)
            print("receipts: RECEIPT_SEED=\(Self.seed)")
            let kills = Rounds.count(6, full: 100)
            var losses: [Loss] = []
            for attempt in 1...kills {
                let run = try saver.agent.start()
                try await check(attempt, after: losses.last, saver, run)
                if attempt == 1 {
                    try await eventuallyTrue("a receipt; \(run.errors)") { try !saver.proven.isEmpty }
                }
                // A random moment has no condition to wait for.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500, using: &generator)))
                _ = await site.killAll()
                try await run.end()
                let newest = try #require(saver.steps.last)
                losses.append(
                    Loss(newest: newest, isTorn: !SlowSaver.isWhole(saver.checkpoint(newest), step: newest)))
            }
            try site.open("finish")
            let last = try saver.agent.start()
            try await last.check()
            try saver.checkEnd()
            #expect(try saver.proven.last?.evidence == .exit)
            let sums = try site.launch("checkpoints", "bare", "--sums")
            try await sums.check()
            try site.write("sums", sums.text)
            let files = try saver.proven.filter { try File.exists($0.path) }.flatMap(\.files).count
            let sha256sum = try Command.run(["sha256sum", "--strict", "-c", "\(site.root)/sums"])
            #expect(sha256sum.code == 0 && sha256sum.output.text.ranges(of: ": OK\n").count == files)
            let torn = losses.count(where: \.isTorn)
            let aside = (try? File.list(saver.agent.folder.torn).count) ?? 0
            print("receipts: \(kills) kills, \(torn) times the highest number was torn, \(aside) set aside")
            #expect(aside == torn)
            #expect(try !saver.agent.log.contains("(unproven)"))
        }
    }

    private func check(_ attempt: Int, after loss: Loss?, _ saver: SlowSaver, _ run: Running) async throws {
        let record = try await eventually("the training of attempt \(attempt); \(run.errors)\(run.text.suffix(2000))") {
            try saver.agent.record(attempt).flatMap { $0.state == .training ? $0 : nil }
        }
        guard let loss else { return }
        let resumed = try #require(record.resumedFrom)
        let step = try #require(resumed.step)
        #expect(SlowSaver.isWhole(resumed.path, step: step), "RECEIPT_SEED=\(Self.seed)")
        #expect(try saver.proven.contains { $0.path == resumed.path })
        #expect(loss.isTorn ? step < loss.newest : step == loss.newest, "RECEIPT_SEED=\(Self.seed)")
    }

    // MARK: Losses of power

    @Test(
        "a checkpoint with a receipt survives a loss of power although the training syncs nothing",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func lossOfPower() async throws {
        for _ in 0..<Rounds.count(1, full: 50) {
            try await Site.with { site in
                let disk = try LoopDisk(at: site)
                defer { disk.unmount() }
                let saver = try SlowSaver(at: site, volume: disk.mountPoint)
                let run = try saver.agent.start()
                let receipt = try await eventually("a receipt; \(run.errors)", every: .milliseconds(1)) {
                    try saver.proven.last
                }
                try disk.cutPower()
                _ = await site.killAll()
                try await run.end()
                try disk.mountAgain()
                let steps = saver.steps
                // The receipt may be gone, because the test saw it before its name was synced. Its files may not.
                #expect(try saver.proven.allSatisfy { SlowSaver.isWhole($0.path, step: $0.step ?? 0) })
                #expect(SlowSaver.isWhole(receipt.path, step: receipt.step ?? 0))
                for file in receipt.files {
                    let bytes = try File.read("\(receipt.path)/\(file.name)")
                    #expect(SHA256Digest(of: bytes).description == file.sha256)
                }
                let whole = steps.filter { SlowSaver.isWhole(saver.checkpoint($0), step: $0) }
                print("receipts: power lost after the receipt of \(receipt.name): of \(steps) \(whole) are whole")

                try site.open("finish")
                try await saver.agent.start().check()
                #expect(try saver.agent.record(2)?.resumedFrom?.step == whole.last)
                try saver.checkEnd()
            }
        }
    }
}
