internal import Glibc
internal import Shared

/// The links and text files beside checkpoints that name the newest one, such as `latest` of DeepSpeed.
///
/// A training that picks its checkpoint by such a pointer ends at once if the pointer leads to one that was torn.
struct CheckpointPointers: Sendable {
    let folder: CheckpointFolder

    private static let maxBytes = 4096

    private struct Pointer {
        var path: String
        /// The name, number or path of a checkpoint in it.
        var text: String
        var isLink: Bool
        var modified: Int
    }

    /// Whether a pointer names the checkpoint and was written after it.
    func nameAfterItsSave(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        pointers(in: folder.path(of: checkpoint).parentFolder).contains { pointer in
            pointer.modified >= checkpoint.modified && Self.words(in: pointer.text).contains { names(checkpoint, $0) }
        }
    }

    /// Makes each pointer name `chosen`. Without a chosen one, moves pointers to checkpoints that do not exist out of
    /// the way. `keepAside` takes the old content of a pointer under its path, and `report` the change.
    func repoint(
        to chosen: CheckpointFolder.Candidate?, known: [CheckpointFolder.Candidate],
        keepAside: (String, [UInt8]) throws -> Void, report: (_ path: String, _ old: String, _ new: String?) -> Void
    ) throws {
        let folders = Set([folder.path] + (chosen.map { [folder.path(of: $0).parentFolder] } ?? []))
        for pointer in folders.sorted().flatMap(pointers) {
            let words = Self.words(in: pointer.text)
            guard let old = words.first(where: { isCheckpoint($0, in: words, known) }) else { continue }
            if let chosen {
                guard !names(chosen, old), let new = word(for: chosen, like: old) else { continue }
                try keepAside(pointer.path, Array(pointer.text.utf8))
                let text = pointer.text.replacingFirst(old, with: new)
                if pointer.isLink {
                    try File.replaceLink(pointer.path, to: text)
                } else {
                    try File.replace(pointer.path, with: Array(text.utf8))
                }
                report(pointer.path, old, new)
            } else if !known.contains(where: { names($0, old) }) {
                try keepAside(pointer.path, Array(pointer.text.utf8))
                try File.remove(pointer.path)
                report(pointer.path, old, nil)
            }
        }
    }

    private func pointers(in folder: String) -> [Pointer] {
        let names = (try? File.list(folder)) ?? []
        return names.filter { name in TrainerTable.pointers.contains { fnmatch($0, name, 0) == 0 } }.compactMap {
            name in
            let path = "\(folder)/\(name)"
            guard let status = File.status(path) else { return nil }
            if status.isLink {
                return (try? File.readLink(path)).map {
                    Pointer(path: path, text: $0, isLink: true, modified: status.modified)
                }
            }
            guard status.isFile, status.size <= Self.maxBytes, let bytes = try? File.read(path),
                let text = String(validating: bytes, as: UTF8.self)
            else { return nil }
            return Pointer(path: path, text: text, isLink: false, modified: status.modified)
        }
    }

    /// The words of a pointer's first line that holds any: names without folders, and numbers.
    private static func words(in text: String) -> [String] {
        let line = text.split(separator: "\n").first ?? ""
        return line.split { " \t\r\"',:{}/".contains($0) }.map(String.init)
    }

    /// Whether `word` has the form of a checkpoint's name, or is the number of one.
    private func isCheckpoint(_ word: String, in words: [String], _ known: [CheckpointFolder.Candidate]) -> Bool {
        if Int(word) != nil { return words.count == 1 }
        return folder.hasForm(word) || folder.hasForm("\(word).index") || known.contains { names($0, word) }
    }

    private func names(_ checkpoint: CheckpointFolder.Candidate, _ word: String) -> Bool {
        let name = checkpoint.name.lastComponent
        if let number = Int(word) { return number == CheckpointFolder.step(in: name) }
        return word == name || word == Self.base(of: name)
    }

    /// Returns the word for `checkpoint` in the form of `old`: its number, its name, or its name without the ending of
    /// a TensorFlow index.
    private func word(for checkpoint: CheckpointFolder.Candidate, like old: String) -> String? {
        let name = checkpoint.name.lastComponent
        if Int(old) != nil { return CheckpointFolder.step(in: name).map { "\($0)" } }
        return folder.hasForm(old) && old.hasSuffix(".index") == name.hasSuffix(".index") ? name : Self.base(of: name)
    }

    private static func base(of name: String) -> String {
        name.hasSuffix(".index") ? String(name.dropLast(6)) : name
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with new: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
