internal import Shared

/// The file `KEY.json` beside a complete environment.
struct EnvironmentManifest: Sendable, Codable, Equatable {
    /// The name of the environment's folder.
    var folder: String
    var parts: [EnvironmentKey.Part]
    /// The state of each entry of `site-packages` after the installation.
    var entries: [String: String]
    /// The editable packages that pip copied all the same, each with the digest of its content.
    var copied: [String: String]
    /// The modules that were seen to import.
    var checked: [String]

    static func read(_ path: String) throws -> EnvironmentManifest? {
        guard try File.exists(path) else { return nil }
        // A damaged manifest counts as none.
        return try? JSON.decode(EnvironmentManifest.self, from: try File.read(path))
    }

    /// Returns why the environment is no longer what was installed; nil if it is.
    func change(in environment: VirtualEnvironment, editables: [String: String]) -> String? {
        guard File.isExecutable(environment.python) else { return "it was incomplete" }
        guard let now = try? Self.entries(of: environment.packages) else { return "it was incomplete" }
        let names = Set(entries.keys).union(now.keys).sorted()
        if let name = names.first(where: { entries[$0] != now[$0] }) { return "\(name) was changed in it" }
        if let path = copied.keys.sorted().first(where: { copied[$0] != editables[$0] }) {
            return "\"-e \(path)\" changed"
        }
        return nil
    }

    /// Returns the state of each entry of a folder with packages: a package by the list of files that pip keeps of it.
    /// Compiled files are left out, because Python writes them at any time.
    static func entries(of folder: String) throws -> [String: String] {
        let names = try File.list(folder).filter { $0 != "__pycache__" }
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let path = "\(folder)/\(name)"
                let record = name.hasSuffix(".dist-info") ? File.status("\(path)/RECORD") : nil
                guard let status = record ?? File.status(path) else { return (name, "") }
                return (name, status.isFolder ? "folder" : "\(status.size) \(status.modified)")
            })
    }
}
