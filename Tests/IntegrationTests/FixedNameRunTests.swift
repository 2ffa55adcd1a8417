import Shared
import TestSupport
import Testing

/// The training overwrites its only checkpoint in place and is killed in the middle of that.
@Suite("checkpoints with a fixed name", .serialized, .timeLimit(.minutes(5))) struct FixedNameRunTests {
    @Test(
        "the next start puts back the copy of the previous save if a fixed-name checkpoint is torn",
        arguments: ["last.ckpt", "final_model"])
    func copyIsPutBack(_ name: String) async throws {
        try await Site.with { site in
            try await Self.resumesFromPreviousSave(try OverwritingSaver(at: site, name: name, keep: 1))
        }
    }

    /// Kills the training twice in the middle of a save. Each next start resumes from the save before.
    static func resumesFromPreviousSave(_ saver: OverwritingSaver) async throws {
        var steps: [Int] = []
        for round in 1...2 {
            let run = try saver.agent.start()
            if round > 1 { try await begins(at: try #require(steps.last), attempt: round, saver, run) }
            for _ in 1...2 { steps.append(try await save(saver, run)) }
            try await eventuallyTrue("one copy") { saver.copies == 1 }
            try await killHalfWay(saver, run)
        }
        let last = try saver.agent.start()
        try await begins(at: try #require(steps.last), attempt: 3, saver, last)
        try saver.agent.site.open("finish")
        try await last.check()
        let end = try #require(try saver.agent.log.split(separator: "\n").last { $0.hasPrefix("ends with") })
        let words = end.split(separator: " ")
        #expect(String(words[3]) == OverwritingSaver.weights(at: try #require(Int(words[2]))))
        #expect(try File.list(saver.agent.folder.torn) == [saver.name, "\(saver.name).2"])
    }

    // MARK: A small disk

    private func onSmallDisk(
        megabytes: Int, _ body: (OverwritingSaver, LoopDisk) async throws -> Void
    ) async throws {
        try await Site.with { site in
            let disk = try LoopDisk(at: site)
            defer { disk.unmount() }
            let saver = try OverwritingSaver(
                at: site, name: "last.ckpt", keep: 1, megabytes: megabytes, volume: disk.mountPoint)
            try await body(saver, disk)
        }
    }

    @Test(
        "the agent keeps no copy and says so once if the disk has no room for a copy and the next save",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func noRoomForCopy() async throws {
        try await onSmallDisk(megabytes: 9) { saver, _ in
            let run = try saver.agent.start()
            let place = "\(saver.agent.folder.work)/out/last.ckpt"
            for _ in 1...2 {
                _ = try await Self.save(saver, run, isCopied: false)
                try await eventuallyTrue("a word; \(run.errors)") { try saver.agent.log.contains("NOT KEPT: ") }
            }
            try saver.agent.site.open("finish")
            try await run.check()
            let lines = try saver.agent.log.split(separator: "\n").filter { $0.hasPrefix("NOT KEPT: ") }
            #expect(lines == ["NOT KEPT: could not keep a copy of \"\(place)\": No space left on device"])
            #expect(saver.copies == 0)
        }
    }

    @Test(
        "the next start moves the copy itself into the place of a torn checkpoint if the disk is full",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func copyIsMoved() async throws {
        try await onSmallDisk(megabytes: 4) { saver, disk in
            let run = try saver.agent.start()
            let step = try await Self.save(saver, run)
            try await Self.killHalfWay(saver, run)
            try disk.fill()
            let second = try saver.agent.start()
            try await eventuallyTrue("the training; \(second.errors)") { saver.begun == [0, step] }
            #expect(saver.copies == 0)
            #expect(try File.list(saver.agent.folder.torn) == ["last.ckpt"])
            try disk.free()
            try await eventuallyTrue("what could not be written; \(second.errors)") {
                let log = try saver.agent.log
                return log.contains("\nRESTORED: ") && log.contains("\nbegins at step \(step)\n")
            }
            #expect(try await Self.save(saver, second) > step)
            try saver.agent.site.open("finish")
            try await second.check()
        }
    }

    @Test(
        "the training starts fresh after a torn save if checkpoints.keep is not set, so that there is no copy",
        arguments: ["last.ckpt", "final_model"])
    func withoutKeep(_ name: String) async throws {
        try await Site.with { site in
            let saver = try OverwritingSaver(at: site, name: name, keep: nil)
            let run = try saver.agent.start()
            _ = try await Self.save(saver, run)
            try await Self.killHalfWay(saver, run)
            try site.open("finish")
            try await saver.agent.start().check()
            #expect(try saver.agent.log.contains("STARTING FRESH\nbegins at step 0\n"))
            #expect(try !File.exists(saver.agent.folder.kept))
        }
    }

    // MARK: Steps

    /// Makes the training save. Returns the step once it is proven, and copied if `isCopied` and the rule has `keep`.
    private static func save(
        _ saver: OverwritingSaver, _ run: Running, isCopied: Bool = true
    ) async throws -> Int {
        let count = saver.saved.count
        try saver.agent.site.open("save")
        let step = try await eventually("a save; \(run.errors)") { saver.saved.count > count ? saver.saved.last : nil }
        let place = "\(saver.agent.folder.work)/out/\(saver.name)"
        let receipt = try await eventually("a receipt; \(run.errors)") {
            try saver.agent.folder.allReceipts().first { receipt in
                let found = Self.statuses(of: receipt, at: place)
                return receipt.difference(from: found) == nil && receipt.changedTime(in: found) == nil
            }
        }
        // The agent notes the step when it sees the save, which is a moment later.
        let printed = try saver.agent.log.split(separator: "\n").last { $0.hasPrefix("step ") }
        let last = try #require(printed.flatMap { Double($0.dropFirst(5)) })
        #expect((Double(step - 1)...last).contains(receipt.stepAtSave ?? 0), "\(receipt), \(last)")
        #expect((receipt.saveSeconds ?? -1) >= 0 && (receipt.saveSeconds ?? 9) < 3, "\(receipt)")
        if isCopied && saver.agent.spec.checkpoints?.keep != nil {
            try await eventuallyTrue("a copy; \(run.errors)") {
                try File.exists("\(saver.agent.folder.kept)/\(saver.name)/\(String(receipt.modified, width: 20))")
            }
        }
        return step
    }

    private static func statuses(of receipt: Receipt, at place: String) -> [String: FileStatus] {
        let all = receipt.files.map { file in
            (file.name, File.statusOfTarget(file.name.isEmpty ? place : "\(place)/\(file.name)"))
        }
        return Dictionary(all.compactMap { name, status in status.map { (name, $0) } }) { first, _ in first }
    }

    private static func killHalfWay(_ saver: OverwritingSaver, _ run: Running) async throws {
        let site = saver.agent.site
        try site.open("half")
        try site.open("save")
        try await eventuallyTrue("half a save; \(run.errors)") { site.exists("stands") }
        _ = await site.killAll()
        try await run.end()
        for gate in ["half", "stands"] { try File.remove("\(site.root)/\(gate)") }
    }

    private static func begins(at step: Int, attempt: Int, _ saver: OverwritingSaver, _ run: Running) async throws {
        let record = try await eventually("the training of attempt \(attempt); \(run.errors)") {
            try saver.agent.record(attempt).flatMap { $0.state == .training ? $0 : nil }
        }
        let place = "\(saver.agent.folder.work)/out/\(saver.name)"
        #expect(record.resumedFrom?.path == place && record.resumedFrom?.step == nil)
        try await eventuallyTrue("begins at step \(step); \(run.errors)") {
            try saver.agent.log.contains("RESUMING FROM: \(place)\nbegins at step \(step)\n")
        }
    }
}
