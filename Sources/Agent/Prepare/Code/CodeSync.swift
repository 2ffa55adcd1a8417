internal import Shared

/// Brings packed code into a run's work tree.
///
/// All attempts share the tree, and `FileOwnership` decides about each path of it. A kill at any moment is harmless:
/// before the first change the manifest is durable and lists everything that may change. The next attempt repeats the
/// sync from it. Results that make room are durable in their new place before the first file of the pack comes.
struct CodeSync {
    enum Change: Equatable {
        /// This pack is in place already.
        case unchanged
        case synced(written: Int, removed: Int)
    }

    let code: PackedCode
    let volume: Volume
    let run: RunFolder
    /// The number of the attempt, by which results are kept that make room.
    let attempt: Int
    /// Paths that no sync touches.
    var checkpoints = CheckpointArea()
    /// Writes a line to the run's log.
    var say: (LogLine) -> Void = { _ in }

    /// Lines of one kind in the log. All further results are one line together.
    private static let maxLines = 20

    /// Blocks. Throws `CancellationError` if `isCancelled` returns true; it is called between two files.
    func perform(isCancelled: () -> Bool = { false }) throws -> Change {
        func step() throws { if isCancelled() { throw CancellationError() } }

        let old = try CodeManifest.read(of: run)
        if let old, old.sha256 == code.sha256, old.isComplete, try File.exists(run.work) { return .unchanged }
        let isRepeat = !(old?.isComplete ?? false)

        let archive = try CodeArchive(volume.pack(code), is: code, step: step)
        let members = try archive.members()
        let entries = try members.map { member in
            try step()
            return CodeManifest.Entry(path: Array(member.entry.path.utf8), content: try archive.content(of: member))
        }

        try File.makeFolders(run.work)
        let brought = BroughtContent(old)
        var change = CodeTreeChange(CodeWorkTree(root: run.work))
        if isRepeat { try change.removeStaging(beside: brought.paths.union(entries.map(\.path))) }
        var planner = CodePlanner(
            tree: change.tree, brought: brought, new: BroughtContent.withFolders(entries), checkpoints: checkpoints,
            replacedFolder: run.replaced(by: attempt), isRepeat: isRepeat)
        let plan = try planner.make(step: step)

        try step()
        let begun = begun(after: old, bringing: entries, plan)
        try begun.write(to: run)

        try makeRoom(plan, in: &change, step)
        report(plan, begun.kept)

        for member in members where plan.puts.contains(Array(member.entry.path.utf8)) {
            try step()
            try change.put(member, from: archive, beforeRename: step)
        }

        try step()
        if isRepeat { change.suspect(entries.map(\.path)) }
        try change.sync()
        try step()
        try CodeManifest(sha256: code.sha256, isComplete: true, files: entries).write(to: run)
        return .synced(written: change.written, removed: change.removed)
    }

    /// Returns the manifest of this sync until it is complete.
    private func begun(
        after old: CodeManifest?, bringing entries: [CodeManifest.Entry], _ plan: CodePlan
    ) -> CodeManifest {
        var manifest = CodeManifest(sha256: code.sha256, files: old?.files ?? [], arriving: old?.arriving ?? [])
        let known = Set(manifest.arriving)
        manifest.arriving += entries.filter { !known.contains($0) }
        let moved = (old?.kept ?? []).filter { File.status("\(run.path)/\($0.target)") != nil }
        let moving = plan.replaced.map {
            CodeManifest.KeptResult(path: $0.path.text, target: String($0.target.dropFirst(run.path.count + 1)))
        }
        manifest.kept = moved + moving
        return manifest
    }

    private func makeRoom(_ plan: CodePlan, in change: inout CodeTreeChange, _ step: () throws -> Void) throws {
        for path in plan.removals.sorted(by: { $1.lexicographicallyPrecedes($0) }) {
            try step()
            try change.remove(path)
        }
        try step()
        for path in plan.emptied { try change.removeIfEmpty(path) }
        if plan.replaced.isEmpty { return }
        for result in plan.replaced {
            try step()
            try change.move(result.path, to: result.target, below: run)
        }
        try step()
        try change.sync()
    }

    private func report(_ plan: CodePlan, _ kept: [CodeManifest.KeptResult]) {
        for result in kept.prefix(Self.maxLines) {
            say(.resultReplaced(result.path, movedTo: "\(run.path)/\(result.target)"))
        }
        if kept.count > Self.maxLines {
            say(.moreResultsReplaced(kept.count - Self.maxLines, movedTo: run.replaced(by: attempt)))
        }
        for stay in plan.stays.prefix(Self.maxLines) {
            say(.resultStays(stay.path.text, isInCode: stay.isInCode))
        }
        if plan.stays.count > Self.maxLines { say(.moreResultsStay(plan.stays.count - Self.maxLines)) }
    }
}
