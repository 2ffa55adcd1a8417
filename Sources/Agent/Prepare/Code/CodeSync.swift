internal import Shared

/// Brings packed code into a run's work tree.
///
/// All attempts share the tree. Files of the training stay, files that only an earlier pack brought are removed, and
/// files of the new pack are put in place one by one. A kill at any moment is harmless: before the first change the
/// manifest is durable and lists every file that may have to be removed, and the next attempt repeats the sync from it.
struct CodeSync {
    enum Change: Equatable {
        /// This pack is in place already.
        case unchanged
        case synced(written: Int, removed: Int)
    }

    let code: PackedCode
    let volume: Volume
    let run: RunFolder

    /// Blocks. Throws `CancellationError` if `isCancelled` returns true; it is called between two files.
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
        if isRepeat { try tree.removeStaging(beside: before.union(new)) }
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
    /// The path as the manifest lists it.
    fileprivate var manifestPath: CodePath { Array(entry.path.utf8) + (entry.kind == .folder ? [CodePath.slash] : []) }
}
