import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Every way in which a save is known to go wrong, on files of real libraries: while something is proven, nothing else is gone on from,
/// and what is wrong is said.
@Suite struct DamagedSaveTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])
    private let step = Monitor<Double?>(1)
    private let start = ContinuousClock.now

    private static let kinds = SavedCheckpoint.kinds
    private static let notKnown = "is not known to be complete, and an older one is"

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }

    /// The files of a kind as it saves them, and with the last one as its end.
    private func files(_ kind: String) throws -> [(name: String, bytes: [UInt8])] {
        let saved = try SavedCheckpoint(kind)
        return try File.list(saved.path).map { ($0, try File.read("\(saved.path)/\($0)")) }
    }

    private func save(_ step: Int, _ files: [(name: String, bytes: [UInt8])]) throws {
        try File.makeFolders("\(out)/checkpoint-\(step)")
        for file in files { try File.write(file.bytes, over: "\(out)/checkpoint-\(step)/\(file.name)") }
    }

    /// What is chosen, and why `checkpoint` is set aside: it has to be.
    private func reason(_ checkpoint: Int, boot: String? = nil) throws -> (chosen: Int?, reason: String) {
        said.update { $0 = [] }
        var receipts = try #require(try run.receipts(boot: boot))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        let chosen = try CheckpointChoice(receipts: receipts).choose()
        let prefix = "TORN: \(out)/checkpoint-\(checkpoint): "
        let line = said.read { $0 }.first { $0.hasPrefix(prefix) } ?? ""
        #expect(!File.exists("\(out)/checkpoint-\(checkpoint)"))
        try File.removeTree(run.folders.torn)
        return (chosen?.isProven == true ? chosen?.checkpoint.step : nil, String(line.dropFirst(prefix.count)))
    }

    /// Cut off anywhere: its format tells, or its size beside an earlier one's.
    @Test(arguments: kinds) func cutOff(_ kind: String) throws {
        let files = try files(kind)
        try save(10, files)
        try run.prove("checkpoint-10")
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let index = Int.random(in: 0..<files.count, using: &generator)
            var cut = files
            cut[index].bytes.removeLast(Int.random(in: 1...max(1, files[index].bytes.count), using: &generator))
            // A line's end after JSON is no loss.
            if cut[index].name.hasSuffix(".json") && cut[index].bytes.last == UInt8(ascii: "}") { continue }
            try save(30, cut)
            let (chosen, reason) = try reason(30)
            #expect(chosen == 10, "\(cut[index].name) at \(cut[index].bytes.count)")
            #expect(
                reason.hasPrefix("\(cut[index].name): ") || reason.hasPrefix(Self.notKnown)
                    || reason.contains("\"\(cut[index].name)\""), "\(reason)")
        }
    }

    /// Neither its size nor its time tells, on another boot its content does.
    @Test(arguments: kinds) func aByteThatFlips(_ kind: String) throws {
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

    @Test(arguments: kinds) func aMemberThatIsMissing(_ kind: String) throws {
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

    @Test(arguments: kinds) func afileThatIsMore(_ kind: String) throws {
        let files = try files(kind)
        for hasReceipt in [true, false] {
            try save(10, files)
            try run.prove("checkpoint-10")
            try save(20, files)
            if hasReceipt { try run.prove("checkpoint-20") }
            try File.write([1], over: "\(out)/checkpoint-20/more.dat")
            let (chosen, reason) = try reason(20)
            #expect(chosen == 10)
            #expect(reason.hasPrefix(hasReceipt ? "more.dat was added" : Self.notKnown), "\(reason)")
        }
    }

    @Test(arguments: kinds) func anEmptyFolder(_ kind: String) throws {
        try save(10, try files(kind))
        try run.prove("checkpoint-10")
        try File.makeFolders("\(out)/checkpoint-20/deep/er")
        let (chosen, reason) = try reason(20)
        #expect(chosen == 10)
        #expect(reason.hasPrefix("contains no file"))
    }

    /// Whichever files come first.
    @Test(arguments: kinds) func killedBetweenTwoFiles(_ kind: String) throws {
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

    // MARK: While the training goes on

    private func watch() throws -> CheckpointWatch {
        CheckpointWatch(receipts: try #require(try run.receipts()), open: { [] }) { [step] in step.read { $0 } }
    }

    /// The training goes on with its steps beside what is saved, as it does where another thread or process saves.
    private func look(_ watch: CheckpointWatch, _ seconds: ClosedRange<Int>) throws {
        for second in seconds {
            step.update { $0 = ($0 ?? 0) + 1 }
            try watch.scan(at: start + .seconds(second))
        }
    }

    private var proven: [String] { get throws { try run.folders.allReceipts().map(\.name) } }

    /// Its files come one by one, with pauses longer than a checkpoint has to be quiet.
    @Test(arguments: kinds) func aSlowWriter(_ kind: String) throws {
        let files = try files(kind)
        let watch = try watch()
        try save(10, files)
        try look(watch, 0...5)
        #expect(try proven == ["checkpoint-10"])
        var second = 6
        for file in files.dropLast() {
            try save(20, [file])
            try look(watch, second...second + 9)
            second += 10
            #expect(try proven == ["checkpoint-10"], "after \(file.name)")
        }
        try save(20, files.suffix(1))
        try look(watch, second...second + 9)
        #expect(try proven == ["checkpoint-10", "checkpoint-20"])
    }

    private func ranks(_ numbers: Range<Int>) throws -> [(name: String, bytes: [UInt8])] {
        let state = try SavedCheckpoint.content("trainer/optimizer.pt")
        return numbers.map { ("zero_pp_rank_\($0)_mp_rank_00_optim_states.pt", state) }
    }

    /// Seven of eight have saved, and the last one is late. Then it is killed.
    @Test func aLateRank() throws {
        let watch = try watch()
        try save(10, try ranks(0..<8))
        try look(watch, 0...5)
        try save(20, try ranks(0..<7))
        try look(watch, 6...30)
        #expect(try proven == ["checkpoint-10"])
        let (chosen, reason) = try reason(20)
        #expect(chosen == 10 && reason.hasPrefix(Self.notKnown))
        try save(30, try ranks(0..<7))
        try look(watch, 31...40)
        try save(30, try ranks(7..<8))
        try look(watch, 41...45)
        #expect(try proven == ["checkpoint-10", "checkpoint-30"])
    }

    /// One that saves more only now and then: the lesser ones are proven too, once they have been quiet for long.
    @Test func whatIsLessOnPurpose() throws {
        let watch = try watch()
        try save(10, try ranks(0..<8))
        try look(watch, 0...5)
        try save(20, try ranks(0..<2))
        try look(watch, 6...65)
        #expect(try proven == ["checkpoint-10"])
        try look(watch, 66...75)
        #expect(try proven == ["checkpoint-10", "checkpoint-20"])
    }
}
