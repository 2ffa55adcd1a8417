internal import Shared

/// Tells which editable packages pip copied into an environment: some build backends do so.
struct EditableCopies: Sendable {
    /// The environment's `site-packages`.
    let packages: String
    /// The run's work tree.
    let work: String

    private struct Origin: Decodable {
        var url: String
    }

    /// Returns those of `editables`, folders with their digests, that do not lead to their folder.
    func among(_ editables: [String: String]) throws -> [String: String] {
        if editables.isEmpty { return [:] }
        let linked = try linkedFolders()
        return editables.filter { path, _ in
            guard let real = File.realPath(work.appending(path: path)) else { return true }
            return !linked.contains(real)
        }
    }

    /// Returns the real paths of the folders that Python finds modules in.
    private func linkedFolders() throws -> Set<String> {
        var folders: Set<String> = []
        for name in try File.list(packages) {
            let path = "\(packages)/\(name)"
            if name.hasSuffix(".egg-link"), let line = try File.read(path).text.split(whereSeparator: \.isNewline).first
            {
                if let real = File.realPath(String(line)) { folders.insert(real) }
            }
            guard name.hasSuffix(".dist-info"), let origin = try? File.read("\(path)/direct_url.json"),
                let url = try? JSON.decode(Origin.self, from: origin).url,
                let record = try? File.read("\(path)/RECORD").text, !Self.holdsModules(record),
                let folder = RequirementReference.localFile(url), let real = File.realPath(folder)
            else { continue }
            folders.insert(real)
        }
        return folders
    }

    /// Whether a list of installed files has a module that is not only a link to the source.
    private static func holdsModules(_ record: String) -> Bool {
        record.split(whereSeparator: \.isNewline).contains { line in
            let path = line.prefix { $0 != "," }
            return path.hasSuffix(".py") && !path.contains("__editable__") && !path.hasPrefix("../")
        }
    }
}
