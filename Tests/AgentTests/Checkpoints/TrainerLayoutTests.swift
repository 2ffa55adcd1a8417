import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The checkpoints of many trainers after a kill: which one a start resumes from.
@Suite struct TrainerLayoutTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var lines: [String] { said.read { $0 } }

    private func write(_ path: String, _ bytes: [UInt8], at time: Int) throws {
        let path = "\(out)/\(path)"
        try File.makeFolders(path.parentFolder)
        try File.write(bytes, over: path)
        let times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
        try Errno.check { utimensat(AT_FDCWD, path, times, 0) }
    }

    private func zip() throws -> [UInt8] { try SavedCheckpoint.content("single/last.ckpt") }

    private func receipts(_ rule: CheckpointRule, attempt: Int = 1, lineage: String = "L1") throws -> Receipts {
        var receipts = try #require(try run.receipts(rule, attempt: attempt, lineage: lineage))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        return receipts
    }

    /// Returns the name of the chosen checkpoint, with " unproven" if it has no proof; "none" if there is none.
    private func choose(_ rule: CheckpointRule, attempt: Int = 2) throws -> String {
        let receipts = try receipts(rule, attempt: attempt)
        return try CheckpointChoice(receipts: receipts).choose().map { chosen in
            String(chosen.checkpoint.path.dropFirst(receipts.folder.path.count + 1))
                + (chosen.isProven ? "" : " unproven")
        } ?? "none"
    }

    private func prove(_ name: String, _ rule: CheckpointRule, attempt: Int = 1) throws {
        let receipts = try receipts(rule, attempt: attempt)
        let candidate = try #require(try receipts.found().first { $0.name == name })
        let receipt = try receipts.prove(candidate, by: .laterStep)
        try receipts.write(receipt)
        try Spare(receipts: receipts).keep(receipt)
    }

    // MARK: Order

    @Test("a checkpoint is newer by the attempt that saved it and the time, whatever number its name has")
    func numbersBeginAgain() throws {
        let rule = CheckpointRule(path: "out", pattern: "checkpoint_*.pt")
        for number in 0..<4 { try write("checkpoint_\(number).pt", try zip(), at: 100 + number) }
        let watch = CheckpointWatch(receipts: try receipts(rule, attempt: 1), open: { [] }) { nil }
        try watch.begin()
        for number in 0..<4 { try prove("checkpoint_\(number).pt", rule) }
        #expect(try choose(rule) == "checkpoint_3.pt")
        try CheckpointWatch(receipts: try receipts(rule, attempt: 2), open: { [] }) { nil }.begin()
        // The second pod's clock is behind that of the first.
        let other = try SavedCheckpoint.content("single/model_00010.pt")
        for number in 0..<2 { try write("checkpoint_\(number).pt", other, at: 50 + number) }
        #expect(try choose(rule, attempt: 3) == "checkpoint_1.pt")
        #expect(
            try receipts(rule, attempt: 3).checkpoints().map(\.name).prefix(3) == [
                "checkpoint_1.pt", "checkpoint_0.pt", "checkpoint_3.pt",
            ])
    }

    @Test(
        "the step in a name is the labelled or growing number, and no metric, rank, ending or epoch",
        arguments: [
            (["epoch=0-step=10.ckpt", "epoch=0-step=20.ckpt"], "*.ckpt", [10, 20]),
            (["rl_model_1000_steps.zip"], "rl_model_*", [1000]), (["iter_0000030"], "iter_*", [30]),
            (["model_10.h5", "model_20.h5"], "model_*", [10, 20]), (["checkpoint-7"], "*", [7]),
            (["epoch=1-val_loss=0.90.ckpt", "epoch=2-val_loss=0.61.ckpt"], "*.ckpt", [nil, nil]),
            (["mb1-ssd-Epoch-5-Loss-3.92.pth"], "*.pth", [nil]), (["3epoch.pth"], "*.pth", [nil]),
            (["x_5_0.pt", "x_6_0.pt"], "x_*", [5, 6]), (["x_5_0.pt"], "x_*", [nil]),
            (["a-3-40.pt"], "a-{step}-*.pt", [3]), (["a-3-40.pt"], "a-*-{step}.pt", [40]),
            (["ck-40.data-00000-of-00001"], "ck-*", [40]),
        ] as [([String], String, [Int?])])
    func steps(_ names: [String], _ pattern: String, _ steps: [Int?]) throws {
        for (place, name) in names.enumerated() { try write(name, [1], at: 100 + place) }
        let found = try CheckpointFolder(path: out, pattern: pattern).candidates()
        #expect(found.map(\.name) == names)
        #expect(found.map(\.step) == steps)
    }

    @Test(
        "a checkpoint is found in the folder that each start gets",
        arguments: [
            ("out/version_*/ck", "*.ckpt", "version_1/ck/step=20.ckpt"),
            ("out/version_0/ck", "*.ckpt", "version_1/ck/step=20.ckpt"),
            ("out", "version_*/ck/step={step}.ckpt", "version_1/ck/step=20.ckpt"),
            ("out/{step}", "model.pt", "20/model.pt"), ("out/detect/train", "epoch*.pt", "train2/epoch20.pt"),
        ])
    func folderPerStart(_ path: String, _ pattern: String, _ newest: String) throws {
        let place = path.contains("detect") ? "detect/" : ""
        try write(
            place + newest.replacing("20", with: "10").replacing("_1", with: "_0").replacing("2/", with: "/"),
            try zip(), at: 10)
        try write(place + newest, try zip(), at: 20)
        #expect(try choose(CheckpointRule(path: path, pattern: pattern)) == newest)
    }

    // MARK: Sets of files

    @Test(
        "files that belong together are one checkpoint: proven, moved and pruned as one",
        arguments: [
            ("G_*.pth", "G_#.pth", "D_#.pth"), ("cp-*.index", "cp-#.index", "cp-#.data-00000-of-00001"),
            ("model_state_*.th", "model_state_e#.th", "training_state_e#.th"),
            ("rl_model_*_steps.zip", "rl_model_#_steps.zip", "rl_model_replay_buffer_#_steps.pkl"),
            ("*.pdparams", "#.pdparams", "#.pdopt"),
        ])
    func sets(_ pattern: String, _ main: String, _ other: String) throws {
        let rule = CheckpointRule(path: "out", pattern: pattern, keep: 1)
        func name(_ form: String, _ step: Int) -> String { form.replacing("#", with: "\(step)") }
        for step in [10, 20] {
            for form in [main, other] { try write(name(form, step), try zip(), at: step) }
            try prove(name(main, step), rule)
        }
        let receipt = try #require(try run.folders.allReceipts().first { $0.name == name(main, 20) })
        #expect(receipt.files.map(\.name) == ["", "../\(name(other, 20))"])
        try write(name(other, 20), Array(try zip().dropLast(30)), at: 20)
        #expect(try choose(rule) == name(main, 10))
        #expect(try File.list(out) == [name(main, 10), name(other, 10)].sorted())
        #expect(try File.list(run.folders.torn) == [name(main, 20), name(other, 20)].sorted())
        for form in [main, other] { try write(name(form, 30), try zip(), at: 30) }
        try prove(name(main, 30), rule, attempt: 2)
        try receipts(rule, attempt: 2).prune()
        #expect(try File.list(out) == [name(main, 30), name(other, 30)].sorted())
    }

    // MARK: Evidence

    @Test(
        "the file that a trainer writes last proves a first save, and a save without it is torn",
        arguments: [
            (["model.pt", "training_args.bin", "rng_state_0.pth", "trainer_state.json"], "trainer_state.json"),
            (["__0_0.distcp", "__1_0.distcp", ".metadata"], ".metadata"),
        ])
    func lastFile(_ files: [String], _ last: String) throws {
        func save(_ step: Int, _ count: Int) throws {
            for (place, file) in files.prefix(count).enumerated() {
                let bytes =
                    file.hasSuffix(".json")
                    ? Array("{}".utf8)
                    : file == ".metadata" ? try SavedCheckpoint.content("distributed/.metadata") : try zip()
                try write("checkpoint-\(step)/\(file)", bytes, at: step + place)
            }
        }
        let rule = CheckpointRule(path: "out")
        try save(10, files.count - 1)
        #expect(try choose(rule) == "none")
        #expect(lines.contains { $0.contains("\(last): is missing; ") })
        if last == ".metadata" {
            // It names only the first part.
            try write("checkpoint-20/.metadata", try SavedCheckpoint.content("distributed/.metadata"), at: 25)
            try write("checkpoint-20/__0_0.distcp", try SavedCheckpoint.content("distributed/__0_0.distcp"), at: 24)
        } else {
            try save(20, files.count)
        }
        #expect(try choose(rule) == "checkpoint-20")
        #expect(try run.folders.allReceipts().map(\.evidence) == [.lastFile])
    }

    @Test(
        "a mark in a checkpoint or beside it says that its save has not ended",
        arguments: [
            "checkpoint-10/checkpoint-is-incomplete.txt", "checkpoint-10-unfinished", "checkpoint-10.incomplete",
        ])
    func marks(_ mark: String) throws {
        try write("checkpoint-10/model.pt", try zip(), at: 10)
        try write(mark, Array("started".utf8), at: 5)
        #expect(try choose(CheckpointRule(path: "out")) == "none")
        #expect(try File.list(run.folders.torn) == ["checkpoint-10"])
    }

    @Test(
        "a file of a known format is torn under any name when it is cut off",
        arguments: [
            ("checkpoint_20.pth.tar", "single/last.ckpt"), ("model_20.keras", "single/last.ckpt"),
            ("model_20.zip", "single/model_00010.pt"),
        ])
    func unknownName(_ name: String, _ source: String) throws {
        try write(name.replacing("20", with: "10"), try SavedCheckpoint.content(source), at: 10)
        try write(name, Array(try SavedCheckpoint.content(source).dropLast(40)), at: 20)
        #expect(try choose(CheckpointRule(path: "out", pattern: "*[0-9]*")) == name.replacing("20", with: "10"))
        #expect(try File.list(run.folders.torn) == [name])
    }

    @Test(
        "an HDF5 file and a tar archive are torn when they are shorter than they say",
        arguments: [0, 1, 100])
    func otherFormats(_ cut: Int) throws {
        var hdf5 = HDF5Format.mark + [UInt8](repeating: 0, count: 992)
        (hdf5[13], hdf5[40], hdf5[41]) = (8, 0xe8, 3)
        var tar = [UInt8](repeating: 0, count: 2048)
        tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
        tar[600] = 1
        for (name, bytes) in [("a", hdf5), ("b", tar)] {
            let faults = try SavedCheckpoint(file: name, Array(bytes.dropLast(cut))).faults()
            #expect(faults.isEmpty == (cut == 0), "\(faults)")
        }
    }

    // MARK: What cannot be loaded

    /// Writes the record of a try of launch `L1` that failed before its first step.
    private func fail(_ attempt: Int, from chosen: CheckpointChoice.Chosen?) throws {
        try run.attempt(attempt, state: .training, outcome: Outcome(.failed, exit: .code(1)))
        var record = try #require(try run.folders.readRecord(attempt))
        (record.resumedFrom, record.resumedProven) = (chosen?.checkpoint, chosen?.isProven)
        try File.replace(run.folders.recordPath(attempt), with: try JSON.encode(record))
    }

    @Test("a checkpoint that cannot be loaded gives way: an unproven one to older ones, then to a fresh start")
    func unprovenGivesWay() throws {
        let rule = CheckpointRule(path: "out", pattern: "m_*")
        for step in [10, 20] { try write("m_\(step)", [UInt8(step)], at: step) }
        var chosen: [String] = []
        for attempt in 1...3 {
            let choice = try CheckpointChoice(receipts: receipts(rule, attempt: attempt)).choose()
            chosen.append(choice?.checkpoint.path.lastComponent ?? "none")
            try fail(attempt, from: choice)
        }
        #expect(chosen == ["m_20", "m_10", "none"])
        #expect(try File.list(run.folders.torn) == ["m_10", "m_20"], "nothing is lost")
    }

    @Test("a proven checkpoint that cannot be loaded gives way to the next older one and stays in place")
    func provenGivesWay() throws {
        let rule = CheckpointRule(path: "out", pattern: "m_*")
        for step in [10, 20, 30] {
            try write("m_\(step)", [UInt8(step)], at: step)
            try prove("m_\(step)", rule)
        }
        let first = try CheckpointChoice(receipts: receipts(rule, attempt: 1)).choose()
        try fail(1, from: first)
        #expect(try choose(rule, attempt: 2) == "m_20")
        #expect(lines.contains { $0.hasPrefix("GAVE WAY: \(out)/m_30: ") })
        #expect(try File.list(out) == ["m_10", "m_20", "m_30"])
        // Saved again it is another checkpoint.
        try write("m_30", [33], at: 40)
        try prove("m_30", rule, attempt: 2)
        #expect(try choose(rule, attempt: 2) == "m_30")
    }

    // MARK: Pointers and the spare

    @Test(
        "a pointer to a torn checkpoint names the chosen one before the training starts",
        arguments: [
            ("iter_*", "iter_0000020", "iter_0000010", "latest_checkpointed_iteration.txt", "20", "10"),
            ("global_step*", "global_step20", "global_step10", "latest", "global_step20\n", "global_step10\n"),
            (
                "model_*.pth", "model_20.pth", "model_10.pth", "last_checkpoint", "/x/y/model_20.pth",
                "/x/y/model_10.pth"
            ),
            (
                "cp-*.index", "cp-20.index", "cp-10.index", "checkpoint",
                "model_checkpoint_path: \"cp-20\"\nall: \"cp-20\"",
                "model_checkpoint_path: \"cp-10\"\nall: \"cp-20\""
            ),
        ])
    func pointers(
        _ pattern: String, _ torn: String, _ whole: String, _ pointer: String, _ text: String, _ expected: String
    ) throws {
        let rule = CheckpointRule(path: "out", pattern: pattern)
        let file = pattern.contains(".") ? "" : "/model.pt"
        try write(whole + file, try zip(), at: 10)
        try prove(whole, rule)
        try write(torn + file, Array(try zip().dropLast(30)), at: 20)
        try write(pointer, Array(text.utf8), at: 21)
        #expect(try choose(rule) == whole)
        #expect(try File.read("\(out)/\(pointer)").text == expected)
        #expect(try File.read("\(run.folders.replaced(by: 2))/\(pointer)").text == text, "the old content is kept")
        #expect(lines.contains { $0.hasPrefix("POINTER: \(out)/\(pointer): ") })
    }

    @Test("a link to a torn checkpoint leads to the chosen one, and a file of the user stays as it is")
    func linkedPointer() throws {
        let rule = CheckpointRule(path: "out", pattern: "step-*")
        try write("step-10/model.pt", try zip(), at: 10)
        try prove("step-10", rule)
        try write("step-20/model.pt", [], at: 20)
        try Errno.check { symlink("step-20", "\(out)/last") }
        try write("latest.txt", Array("I liked step-20 of 9".utf8), at: 20)
        try write("notes.txt", Array("step-20".utf8), at: 20)
        #expect(try choose(rule) == "step-10")
        #expect(try File.readLink("\(out)/last") == "step-10")
        #expect(try File.read("\(out)/notes.txt").text == "step-20")
    }

    @Test("a proven checkpoint that its trainer deleted before the next save is put back from its spare")
    func spare() throws {
        let rule = CheckpointRule(path: "out", keep: 1)
        try write("checkpoint-10/model.pt", try zip(), at: 10)
        try prove("checkpoint-10", rule)
        try File.removeTree("\(out)/checkpoint-10")
        try write("checkpoint-20/model.pt", Array(try zip().dropLast(30)), at: 20)
        #expect(try choose(rule) == "checkpoint-10")
        #expect(try File.read("\(out)/checkpoint-10/model.pt") == zip())
        // The trainer deletes it once more, and the pod is taken away before the next proof.
        try File.removeTree("\(out)/checkpoint-10")
        #expect(try choose(rule, attempt: 3) == "checkpoint-10")
    }

    // MARK: Pruning

    @Test("pruning leaves names that a person made, checkpoints from before the run, and added files")
    func neverPruned() throws {
        let rule = CheckpointRule(path: "out", pattern: "*", keep: 1)
        try write("checkpoint-1/model.pt", try zip(), at: 1)
        // Older than the run, and proven at its start.
        #expect(try choose(rule, attempt: 1) == "checkpoint-1 unproven")
        try CheckpointWatch(receipts: try receipts(rule, attempt: 1), open: { [] }) { nil }.begin()
        let names = ["checkpoint-10", "checkpoint-20-good", "best_3", "checkpoint-30", "checkpoint-40"]
        for (place, name) in names.enumerated() {
            try write("\(name)/model.pt", try zip(), at: 10 + place)
            try prove(name, rule)
        }
        try write("checkpoint-30/notes.txt", [1], at: 99)
        var receipts = try receipts(rule, attempt: 2)
        for candidate in try receipts.checkpoints() where candidate.name == "checkpoint-1" {
            try receipts.write(try receipts.prove(candidate, by: .sameFiles))
        }
        receipts.announcePruning()
        #expect(lines.last?.hasPrefix("KEEP: \(out)/*: the newest 1 proven stay") == true)
        receipts.say = { _ in }
        try receipts.prune()
        #expect(
            try File.list(out) == ["best_3", "checkpoint-1", "checkpoint-20-good", "checkpoint-30", "checkpoint-40"])
    }
}
