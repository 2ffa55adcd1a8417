import Shared
import TestSupport
import Testing

@testable import Agent

/// Random histories of a code folder, a training and their syncs, compared with a small model.
@Suite struct CodeOwnershipModelTests {
    @Test("2000 random histories end as the model says, lose no result and report each one", arguments: 0..<20)
    func histories(hundred: Int) throws {
        var (replaced, stays) = (0, 0)
        for seed in hundred * 100..<(hundred + 1) * 100 {
            var history = try History(seed: seed)
            for _ in 0..<5 where try !history.round() { break }
            replaced += history.reports.replaced
            stays += history.reports.stays
        }
        #expect(replaced > 50 && stays > 50, "the histories have too few conflicts")
    }

    @Test("a sync stopped at any step and repeated ends as the model says and reports each result", arguments: 0..<40)
    func stopped(seed: Int) throws {
        try forEachStep(seed) { try $0.stoppedRound(at: $1) }
    }

    @Test("a sync stopped at any step gives way to another pack and loses no result", arguments: 0..<40)
    func stoppedForAnother(seed: Int) throws {
        try forEachStep(seed) { try $0.abandonedRound(at: $1) }
    }

    /// `round` returns whether its sync was stopped at the step.
    private func forEachStep(_ seed: Int, _ round: (inout History, Int) throws -> Bool) throws {
        var steps = 0
        var isStopped = true
        while isStopped {
            var history = try History(seed: seed)
            for _ in 0..<3 { try history.round() }
            isStopped = try round(&history, steps)
            steps += 1
        }
        #expect(steps > 5)
    }
}

/// The three-way rule for files and links without a disk.
private struct Model {
    /// What the last pack brought.
    var base: CodeBed.Tree = [:]
    var work: CodeBed.Tree = [:]
    var replaced: [String: Set<String>] = [:]
    /// Of the last sync.
    var reported: (replaced: Set<String>, stays: Set<String>) = ([], [])

    mutating func sync(_ pack: CodeBed.Tree) {
        reported = ([], [])
        for (path, text) in work where base[path] == text && pack[path] == nil { work[path] = nil }
        for (path, text) in pack {
            let above = work.keys.filter { path.hasPrefix($0 + "/") }
            setAside(above, at: above)
            let below = work.keys.filter { $0.hasPrefix(path + "/") }
            let isSame = base[path] == text
            if !below.isEmpty && isSame || isSame && work[path] != nil && work[path] != text {
                reported.stays.insert(path)
                continue
            }
            setAside(below, at: [path])
            if let here = work[path], here != text, here != base[path] { setAside([path], at: [path]) }
            work[path] = text
        }
        for path in base.keys
        where pack[path] == nil && work.keys.contains(where: { $0 == path || $0.hasPrefix(path + "/") }) {
            // Below a new file's place, and above a new file, it is none of the training's any more.
            let isCode = pack.keys.contains { path.hasPrefix($0 + "/") && work[$0] != nil || $0.hasPrefix(path + "/") }
            if !isCode { reported.stays.insert(path) }
        }
        base = pack
    }

    private mutating func setAside(_ paths: [String], at reportedPaths: [String]) {
        for path in paths {
            if let text = work.removeValue(forKey: path) { replaced[path, default: []].insert(text) }
        }
        if !paths.isEmpty { reported.replaced.formUnion(reportedPaths) }
    }
}

private struct History {
    private var generator: SeededGenerator
    private let seed: Int
    private let bed: CodeBed
    private var model = Model()
    private var laptop: CodeBed.Tree = ["train.py": "0"]
    /// Contents that only the training wrote and did not overwrite or delete.
    private var results: Set<String> = []
    private var count = 0
    private(set) var reports = (replaced: 0, stays: 0)

    private static let paths = ["a", "a/b", "a/b/c", "a/d", "d", "d/e", "f", "g/h", "train.py"]

    init(seed: Int) throws {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        bed = try CodeBed()
    }

    /// Edits, syncs, compares and trains. Returns false after a difference.
    @discardableResult
    mutating func round() throws -> Bool {
        edit()
        let code = try bed.pack(laptop)
        let before = bed.lines.count
        try bed.sync(code)
        if laptop != model.base { model.sync(laptop) } else { model.reported = ([], []) }
        let isEqual = try compare()
        compareReports(bed.lines[before...])
        reports.replaced += model.reported.replaced.count
        reports.stays += model.reported.stays.count
        try train()
        return isEqual
    }

    /// A round whose sync is stopped at a step and then repeated. Returns whether the sync was stopped.
    mutating func stoppedRound(at step: Int) throws -> Bool {
        edit(atLeast: 1)
        let code = try bed.pack(laptop)
        let before = bed.lines.count
        let isStopped = try bed.isStopped(code, at: step)
        if isStopped { try bed.sync(code) }
        if laptop != model.base { model.sync(laptop) } else { model.reported = ([], []) }
        try compare()
        let told = reported(in: bed.lines[before...])
        #expect(told.replaced == model.reported.replaced, "seed \(seed), stopped at \(step)")
        #expect(told.stays.isSuperset(of: model.reported.stays), "seed \(seed), stopped at \(step)")
        #expect(try bed.sync(code) == .unchanged)
        return isStopped
    }

    /// A round whose sync is stopped at a step, and then another pack comes. Returns whether the sync was stopped.
    mutating func abandonedRound(at step: Int) throws -> Bool {
        edit(atLeast: 1)
        let isStopped = try bed.isStopped(try bed.pack(laptop), at: step)
        edit(atLeast: 1)
        let before = bed.lines.count
        try bed.sync(try bed.pack(laptop))
        let (tree, replaced) = (try bed.tree(), try bed.replaced())
        let told = reported(in: bed.lines[before...])
        for (path, text) in laptop where !told.stays.contains(path) {
            #expect(tree[path] == text, "seed \(seed), stopped at \(step)")
        }
        let lost = results.subtracting(tree.values).subtracting(replaced.values.flatMap { $0 })
        #expect(lost.isEmpty, "seed \(seed), stopped at \(step)")
        return isStopped
    }

    private mutating func edit(atLeast least: Int = 0) {
        if least > 0 { laptop["train.py"] = content("code", isNew: true) }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let path = Self.paths.randomElement(using: &generator) ?? "a"
            if Int.random(in: 0..<3, using: &generator) == 0 && path != "train.py" {
                laptop[path] = nil
            } else {
                laptop = laptop.filter { !$0.key.hasPrefix(path + "/") && !path.hasPrefix($0.key + "/") }
                laptop[path] = content("code")
            }
        }
    }

    /// Mostly new, sometimes one that exists elsewhere.
    private mutating func content(_ maker: String, isNew: Bool = false) -> String {
        count += 1
        if isNew { return "\(maker) \(count)" }
        let known = Array(model.work.values) + Array(laptop.values)
        if Int.random(in: 0..<8, using: &generator) == 0, let text = known.sorted().randomElement(using: &generator) {
            results.remove(text)
            return text
        }
        return "\(maker) \(count)"
    }

    private mutating func train() throws {
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let path = Self.paths.randomElement(using: &generator) ?? "a"
            let gone = model.work.keys.filter { $0 == path || $0.hasPrefix(path + "/") || path.hasPrefix($0 + "/") }
            for path in gone {
                if let text = model.work.removeValue(forKey: path) { results.remove(text) }
                try File.removeTree("\(bed.work)/\(path)")
                try removeEmptyFolders(above: path)
            }
            if Int.random(in: 0..<4, using: &generator) == 0 { continue }
            let text = content("result")
            if text == "result \(count)" { results.insert(text) }
            try bed.put(path, text)
            model.work[path] = text
        }
    }

    private func removeEmptyFolders(above path: String) throws {
        var folder = "\(bed.work)/\(path)".parentFolder
        while folder != bed.work, File.status(folder)?.isFolder == true, try File.list(folder).isEmpty {
            try File.removeTree(folder)
            folder = folder.parentFolder
        }
    }

    @discardableResult
    private func compare() throws -> Bool {
        let (tree, replaced) = (try bed.tree(), try bed.replaced())
        #expect(tree == model.work, "seed \(seed)")
        #expect(replaced == model.replaced, "seed \(seed)")
        let lost = results.subtracting(tree.values).subtracting(replaced.values.flatMap { $0 })
        #expect(lost.isEmpty, "seed \(seed)")
        return tree == model.work && replaced == model.replaced && lost.isEmpty
    }

    private func compareReports(_ lines: some Sequence<LogLine>) {
        let told = reported(in: lines)
        #expect(told.replaced == model.reported.replaced, "seed \(seed)")
        #expect(told.stays == model.reported.stays, "seed \(seed)")
    }

    private func reported(in lines: some Sequence<LogLine>) -> (replaced: Set<String>, stays: Set<String>) {
        var found: (replaced: Set<String>, stays: Set<String>) = ([], [])
        for line in lines {
            switch line {
            case .resultReplaced(let path, _): found.replaced.insert(path)
            case .resultStays(let path, _): found.stays.insert(path)
            default: Issue.record("\(line)")
            }
        }
        return found
    }
}
