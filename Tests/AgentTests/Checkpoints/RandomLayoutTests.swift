import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Random layouts, orders, clocks, interruptions and deletions: nothing torn is chosen while something whole and proven
/// exists, the chosen one is the newest, and nothing is lost.
@Suite struct RandomLayoutTests {
    /// SEEDS=500 is the long form.
    private static let seeds = ProcessInfo.processInfo.environment["SEEDS"].flatMap { Int($0) } ?? 40

    private enum Layout: CaseIterable {
        case folders, files, pairs, counted, metrics

        var rule: CheckpointRule {
            switch self {
            case .folders: CheckpointRule(path: "out")
            case .files, .counted: CheckpointRule(path: "out", pattern: "ck_*.json")
            case .pairs: CheckpointRule(path: "out", pattern: "a_{step}.json", companions: ["b_{step}.json"])
            case .metrics: CheckpointRule(path: "out", pattern: "epoch=*.json")
            }
        }

        func files(_ step: Int, _ count: Int, _ metric: Int) -> [String] {
            switch self {
            case .folders: ["checkpoint-\(step)/model.json", "checkpoint-\(step)/state.json"]
            case .files: ["ck_\(step).json"]
            case .counted: ["ck_\(count).json"]
            case .pairs: ["a_\(step).json", "b_\(step).json"]
            case .metrics: ["epoch=\(step / 10)-loss=0.\(metric).json"]
            }
        }
    }

    private struct Save {
        var name: String
        var files: [String]
        var id: Int
        var isProven = false
    }

    /// A run that trains, is interrupted and resumes.
    private struct World {
        let run: TestRun
        let layout: Layout
        var generator: SeededGenerator
        /// The whole ones that exist, or exist as the spare.
        var saves: [Save] = []
        /// Every whole one by its id.
        var whole: [Int: Save] = [:]
        var id = 0
        var step = 0

        var out: String { "\(run.folders.work)/out" }

        func receipts(_ attempt: Int) throws -> Receipts {
            try #require(try run.receipts(layout.rule, attempt: attempt))
        }

        /// Saves a checkpoint, and only the beginning of it if `isTorn`. `clock` is that of the pod.
        mutating func save(_ count: Int, isTorn: Bool, clock: Int) throws -> Save {
            id += 1
            step += 10
            let files = layout.files(step, count, Int.random(in: 10...99, using: &generator))
            let name = layout == .folders ? files[0].parentFolder : files[0]
            saves.removeAll { $0.name == name }
            let written = isTorn ? Int.random(in: 1...files.count, using: &generator) : files.count
            for (place, file) in files.prefix(written).enumerated() {
                let isCut = isTorn && place == written - 1
                let path = "\(out)/\(file)"
                try File.makeFolders(path.parentFolder)
                // A new file, so that a hard link to the old one keeps its bytes.
                try File.removeTree(path)
                try File.write(Array((isCut ? "{\"id\": \(id)" : "{\"id\": \(id)}").utf8), over: path)
                let times = [
                    timespec(tv_sec: clock + 10 * id, tv_nsec: place),
                    timespec(tv_sec: clock + 10 * id, tv_nsec: place),
                ]
                try Errno.check { utimensat(AT_FDCWD, path, times, 0) }
            }
            return Save(name: name, files: files, id: id)
        }

        /// Everything below the run's folder that a save wrote. The second one in torn/ is named `ck_0.json.2`.
        func contents() throws -> Set<String> {
            var found: Set<String> = []
            for folder in [out, run.folders.torn, run.folders.kept] where try File.exists(folder) {
                for file in try CheckpointContent(of: folder).files where file.contains(".json") {
                    found.insert(try File.read("\(folder)/\(file)").text)
                }
            }
            return found.filter { $0.hasPrefix("{\"id\"") }
        }
    }

    @Test("the newest proven checkpoint is chosen whatever happens, and nothing is lost", arguments: 0..<seeds)
    func random(_ seed: Int) throws {
        var generator = SeededGenerator(seed: seed)
        let layout = try #require(Layout.allCases.randomElement(using: &generator))
        var world = World(run: try TestRun(), layout: layout, generator: generator)
        for attempt in 1...4 {
            let before = try world.contents()
            let receipts = try world.receipts(attempt)
            let chosen = try CheckpointChoice(receipts: receipts).choose()
            try check(chosen, in: world)
            #expect(before.isSubset(of: try world.contents()), "\(layout) at attempt \(attempt)")
            try CheckpointWatch(receipts: receipts, open: { [] }) { nil }.begin()
            try train(attempt, receipts, &world)
        }
    }

    private func check(_ chosen: CheckpointChoice.Chosen?, in world: World) throws {
        let newest = world.saves.filter(\.isProven).map(\.id).max()
        guard let chosen else { return #expect(newest == nil, "\(world.layout): \(world.saves)") }
        let name = chosen.checkpoint.path.dropFirst(world.out.count + 1)
        let ids = world.whole.values.filter { $0.name == name }.map(\.id)
        let main = world.layout == .folders ? "\(name)/model.json" : String(name)
        let text = try File.read("\(world.out)/\(main)").text
        let id = try #require(ids.first { text == "{\"id\": \($0)}" }, "a torn one was chosen: \(name): \(text)")
        let save = try #require(world.whole[id])
        for file in save.files { #expect(try File.read("\(world.out)/\(file)").text == "{\"id\": \(save.id)}") }
        if let newest { #expect(chosen.isProven && save.id >= newest, "\(world.layout): \(save), not \(newest)") }
    }

    private func train(_ attempt: Int, _ receipts: Receipts, _ world: inout World) throws {
        let clock = 1_700_000_000 + Int.random(in: -5000...5000, using: &world.generator)
        let count = Int.random(in: 1...4, using: &world.generator)
        for number in 0..<count {
            // Some trainers delete the old checkpoints first. Only the spare survives then.
            if Int.random(in: 0..<6, using: &world.generator) == 0 {
                for save in world.saves { try File.removeTree("\(world.out)/\(save.name)") }
                for save in world.saves { for file in save.files { try File.removeTree("\(world.out)/\(file)") } }
                world.saves = world.saves.filter(\.isProven).suffix(1)
            }
            let isTorn = number == count - 1 && Bool.random(using: &world.generator)
            var save = try world.save(number, isTorn: isTorn, clock: clock)
            if isTorn { return }
            if Int.random(in: 0..<3, using: &world.generator) > 0 {
                let candidate = try #require(try receipts.found().first { $0.name == save.name })
                let receipt = try receipts.prove(candidate, by: .laterStep)
                try receipts.write(receipt)
                try Spare(receipts: receipts).keep(receipt)
                save.isProven = true
            }
            world.saves.append(save)
            world.whole[save.id] = save
        }
    }
}
