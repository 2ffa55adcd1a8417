import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Every known way in which a save goes wrong, on files of real libraries.
///
/// While an older checkpoint is proven the agent chooses that one, and the log says what is wrong with the other.
@Suite struct DamagedSaveTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])
    private let step = Monitor<Double?>(1)
    private let start = ContinuousClock.now

    private static let kinds = SavedCheckpoint.kinds
    private static let notKnown = "is not known to be complete, and an older one is"

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }

    /// The files of a kind, in the order of their names.
    private func files(_ kind: String) throws -> [(name: String, bytes: [UInt8])] {
        let saved = try SavedCheckpoint(kind)
        return try File.list(saved.path).map { ($0, try File.read("\(saved.path)/\($0)")) }
    }

    private func save(_ step: Int, _ files: [(name: String, bytes: [UInt8])]) throws {
        try File.makeFolders("\(out)/checkpoint-\(step)")
        for file in files { try File.write(file.bytes, over: "\(out)/checkpoint-\(step)/\(file.name)") }
    }

    /// Lets the agent choose, and expects it to move `checkpoint` to `torn/`.
    /// Returns the proven step that it chose, and the reason that it logged.
    private func reason(_ checkpoint: Int, boot: String? = nil) throws -> (chosen: Int?, reason: String) {
        said.update { $0 = [] }
        var receipts = try #require(try run.receipts(boot: boot))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        let chosen = try CheckpointChoice(receipts: receipts).choose()
        let prefix = "TORN: \(out)/checkpoint-\(checkpoint): "
        let line = said.read { $0 }.first { $0.hasPrefix(prefix) } ?? ""
        #expect(try !File.exists("\(out)/checkpoint-\(checkpoint)"))
        try File.removeTree(run.folders.torn)
        return (chosen?.isProven == true ? chosen?.checkpoint.step : nil, String(line.dropFirst(prefix.count)))
    }

    /// Its format shows it, or its size does beside an earlier checkpoint's.
    @Test("a checkpoint with a file cut off anywhere is moved to torn/ and the proven one is chosen", arguments: kinds)
    func cutOff(_ kind: String) throws {
        let files = try files(kind)
        try save(10, files)
        try run.prove("checkpoint-10")
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let index = Int.random(in: 0..<files.count, using: &generator)
            var cut = files
            cut[index].bytes.removeLast(Int.random(in: 1...max(1, files[index].bytes.count), using: &generator))
            // A JSON file is whole without its last line feed.
            if cut[index].name.hasSuffix(".json") && cut[index].bytes.last == UInt8(ascii: "}") { continue }
            try save(30, cut)
            let (chosen, reason) = try reason(30)
            #expect(chosen == 10, "\(cut[index].name) at \(cut[index].bytes.count)")
            #expect(
                reason.hasPrefix("\(cut[index].name): ") || reason.hasPrefix(Self.notKnown)
                    || reason.contains("\"\(cut[index].name)\""), "\(reason)")
        }
    }

    /// Its size and its time stay as they were.
    @Test("a flipped byte in a proven checkpoint is found by its hash after a reboot", arguments: kinds)
    func flippedByte(_ kind: String) throws {
        let files = try files(kind)
        var generator = SeededGenerator(seed: 8)
        for round in 0..<20 {
            for step in [10, 20] {
                try save(step, files)
                try run.prove("checkpoint-\(step)")
            }
            let file = files[Int.random(in: 0..<files.count, using: &generator)]
            try run.flip("checkpoint-20", file.name, at: Int.random(in: 0..<file.bytes.count, using: &generator))
            let (chosen, reason) = try reason(20, boot: "boot \(round)")
            #expect(chosen == 10)
            #expect(reason.hasPrefix("\(file.name) has other bytes than its receipt"), "\(reason)")
        }
    }

    @Test("a proven checkpoint that lost a file is moved to torn/ and the older one is chosen", arguments: kinds)
    func missingFile(_ kind: String) throws {
        let files = try files(kind)
        for file in files {
            for step in [10, 20] {
                try save(step, files)
                try run.prove("checkpoint-\(step)")
            }
            try File.remove("\(out)/checkpoint-20/\(file.name)")
            let (chosen, reason) = try reason(20)
            #expect(chosen == 10)
            #expect(reason.hasPrefix("\(file.name) is missing"), "\(reason)")
        }
    }

    @Test("a checkpoint with an extra file and without a receipt is moved to torn/", arguments: kinds)
    func extraFile(_ kind: String) throws {
        let files = try files(kind)
        try save(10, files)
        try run.prove("checkpoint-10")
        try save(20, files)
        try File.write([1], over: "\(out)/checkpoint-20/more.dat")
        let (chosen, reason) = try reason(20)
        #expect(chosen == 10)
        #expect(reason.hasPrefix(Self.notKnown), "\(reason)")
    }

    @Test("a checkpoint without any file is moved to torn/ and the proven one is chosen", arguments: kinds)
    func noFile(_ kind: String) throws {
        try save(10, try files(kind))
        try run.prove("checkpoint-10")
        try File.makeFolders("\(out)/checkpoint-20/deep/er")
        let (chosen, reason) = try reason(20)
        #expect(chosen == 10)
        #expect(reason.hasPrefix("contains no file"))
    }

    @Test("a save killed between two files is moved to torn/, whichever files came first", arguments: kinds)
    func killedBetweenFiles(_ kind: String) throws {
        let files = try files(kind)
        try save(10, files)
        try run.prove("checkpoint-10")
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<3 {
            let order = files.shuffled(using: &generator)
            for count in 1..<order.count {
                try save(20, Array(order.prefix(count)))
                let (chosen, reason) = try reason(20)
                #expect(chosen == 10)
                #expect(
                    reason.hasPrefix(Self.notKnown) || reason.contains("missing"),
                    "\(reason): \(order.prefix(count).map(\.name))")
            }
        }
    }

    // MARK: While the training runs

    private func watch() throws -> CheckpointWatch {
        CheckpointWatch(receipts: try #require(try run.receipts()), open: { [] }, quietOfFirst: .seconds(2)) { [step] in
            step.read { $0 }
        }
    }

    /// Scans once a second while the training reports steps, as it does if another thread or process saves.
    private func scan(_ watch: CheckpointWatch, _ seconds: ClosedRange<Int>) throws {
        for second in seconds {
            step.update { $0 = ($0 ?? 0) + 1 }
            try watch.scan(at: start + .seconds(second))
        }
    }

    private var proven: [String] { get throws { try run.folders.allReceipts().map(\.name) } }

    /// The pauses are longer than a checkpoint has to be quiet.
    @Test("a checkpoint saved with long pauses is proven only after its last file", arguments: kinds)
    func slowWriter(_ kind: String) throws {
        let files = try files(kind)
        let watch = try watch()
        try save(10, files)
        try scan(watch, 0...5)
        #expect(try proven == ["checkpoint-10"])
        var second = 6
        for file in files.dropLast() {
            try save(20, [file])
            try scan(watch, second...second + 9)
            second += 10
            #expect(try proven == ["checkpoint-10"], "after \(file.name)")
        }
        try save(20, files.suffix(1))
        try scan(watch, second...second + 9)
        #expect(try proven == ["checkpoint-10", "checkpoint-20"])
    }

    private func ranks(_ numbers: Range<Int>) throws -> [(name: String, bytes: [UInt8])] {
        let state = try SavedCheckpoint.content("trainer/optimizer.pt")
        return numbers.map { ("zero_pp_rank_\($0)_mp_rank_00_optim_states.pt", state) }
    }

    /// Seven of eight ranks have saved. The last one is killed at first, and only late the second time.
    @Test("a checkpoint without its last rank's file is not proven until that file is saved")
    func lateRank() throws {
        let watch = try watch()
        try save(10, try ranks(0..<8))
        try scan(watch, 0...5)
        try save(20, try ranks(0..<7))
        try scan(watch, 6...30)
        #expect(try proven == ["checkpoint-10"])
        let (chosen, reason) = try reason(20)
        #expect(chosen == 10 && reason.hasPrefix(Self.notKnown))
        try save(30, try ranks(0..<7))
        try scan(watch, 31...40)
        try save(30, try ranks(7..<8))
        try scan(watch, 41...45)
        #expect(try proven == ["checkpoint-10", "checkpoint-30"])
    }

    /// Some trainings save all of their files only now and then.
    @Test("a checkpoint with fewer files than an earlier one is proven after it was quiet for a minute")
    func fewerFiles() throws {
        let watch = try watch()
        try save(10, try ranks(0..<8))
        try scan(watch, 0...5)
        try save(20, try ranks(0..<2))
        try scan(watch, 6...65)
        #expect(try proven == ["checkpoint-10"])
        try scan(watch, 66...75)
        #expect(try proven == ["checkpoint-10", "checkpoint-20"])
    }
}
