internal import Shared

/// Brings packed code into a run's work tree.
///
/// The tree is the same over all attempts: what the training made stays, files that only an earlier pack brought go,
/// and what the new pack brings is put in place file by file. Killed at any instant, it is repeated from the manifest:
/// that is durable, and lists every file that may have to go, before the first change.
struct CodeSync {
    enum Change: Equatable {
        /// This pack is in place already.
        case unchanged
        case synced(written: Int, removed: Int)
    }

    let code: PackedCode
    let volume: Volume
    let run: RunFolder

    /// Blocks. `isCancelled` is asked between files; where it says so, `CancellationError` is thrown.
    func perform(isCancelled: () -> Bool = { false }) throws -> Change {
        func step() throws { if isCancelled() { throw CancellationError() } }

        let old = try CodeManifest.read(of: run)
        if let old, old.sha256 == code.sha256, old.complete, File.exists(run.work) { return .unchanged }

        let archive = try CodeArchive(volume.pack(code), is: code, step: step)
        let members = try archive.members()
        let new = Set(members.map(\.manifestPath))
        let before = Set((old?.files ?? []).map { Array($0.utf8) })
        let isRepeat = !(old?.complete ?? false)

        try File.makeFolders(run.work)
        var tree = CodeWorkTree(root: run.work, brought: before)
        if isRepeat { try tree.removeAsides(beside: before.union(new)) }
        var checked: Set<CodePath> = []
        for member in members { try tree.checkRoom(for: member.entry, checked: &checked) }

        try step()
        try manifest(of: before.union(new), complete: false).write(to: run)

        let gone = before.subtracting(new).sorted { $1.lexicographicallyPrecedes($0) }
        for path in gone {
            try step()
            try tree.remove(path)
        }
        try step()
        try tree.prune(gone, kept: Set(new.flatMap(\.folders)))

        for member in members {
            try step()
            try tree.put(member, from: archive, beforeRename: step)
        }

        try step()
        try tree.changes.sync(in: tree, isRepeat: isRepeat)
        try step()
        try manifest(of: new, complete: true).write(to: run)
        return .synced(written: tree.changes.written.count, removed: tree.changes.removed)
    }

    private func manifest(of paths: Set<CodePath>, complete: Bool) -> CodeManifest {
        let files = paths.sorted { $0.lexicographicallyPrecedes($1) }.map(\.text)
        return CodeManifest(sha256: code.sha256, complete: complete, files: files)
    }
}

extension CodeArchive.Member {
    /// As the manifest lists it.
    fileprivate var manifestPath: CodePath { Array(entry.path.utf8) + (entry.kind == .folder ? [CodePath.slash] : []) }
}
