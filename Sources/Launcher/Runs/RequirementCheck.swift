internal import Shared

/// Finds what is wrong with the requirement files of a config before a pod is started.
struct RequirementCheck: Sendable {
    let config: Config

    /// Throws the first requirement file that is missing at home, with the place that names it.
    func checkFiles() throws {
        guard case .path(let folder, _) = config.code else { return }
        do {
            _ = try tree(in: folder)
        } catch let missing as RequirementTree.MissingFile {
            throw error(missing, in: folder)
        }
    }

    /// Throws the first requirement file that is not among `packed`, the paths of the packed files.
    func checkPacked(_ packed: Set<String>) throws {
        guard case .path(let folder, _) = config.code else { return }
        for node in try tree(in: folder).nodes {
            // A path may lead through a packed link to a folder.
            guard let top = File.realPath(folder), let real = File.realPath(folder.appending(path: node.path)),
                real.hasPrefix(top + "/"), !packed.contains(String(real.dropFirst(top.count + 1)))
            else { continue }
            throw config.error(
                at: "dependencies.requirements", "\"\(node.path)\" is not packed",
                hint:
                    "git or \(IgnoreRules.launchFile) ignores it; bring it with code: {path: ., include: [\(node.path)]}"
            )
        }
    }

    /// Paths on the pod, and those that hold a variable of the pod, cannot be checked here.
    private func tree(in folder: String) throws -> RequirementTree {
        try RequirementTree(config.dependencies.requirements, in: folder) { $0.hasPrefix("/") || $0.contains("${") }
    }

    private func error(_ missing: RequirementTree.MissingFile, in folder: String) -> ConfigError {
        guard let file = missing.includedBy, let line = missing.line else {
            return config.error(
                at: "dependencies.requirements", "there is no \"\(missing.path)\"",
                hint: "paths are relative to the code, \"\(folder)\"")
        }
        return ConfigError(
            file: "\(folder)/\(file)", place: Place(line: line, column: nil),
            message: "there is no \"\(missing.path)\" in the code", hint: "paths are relative to the file")
    }

    /// A line about dependencies that the project has and the config does not name; nil if there is nothing to say.
    var advice: String? {
        guard case .path(let folder, _) = config.code, config.dependencies.isEmpty else { return nil }
        let ways = [
            ("requirements.txt", "write dependencies: {requirements: [requirements.txt]}"),
            (
                "uv.lock",
                "run \"uv export -o requirements.txt\" and write dependencies: {requirements: [requirements.txt]}"
            ),
            (
                "pyproject.toml",
                "write \"-e .\" into requirements.txt, and dependencies: {requirements: [requirements.txt]}"
            ),
            (
                "environment.yml",
                "list what pip has to install in requirements.txt, and write dependencies: {requirements: [requirements.txt]}"
            ),
        ]
        guard let (file, way) = ways.first(where: { File.status("\(folder)/\($0.0)") != nil }) else { return nil }
        return "nothing from \"\(file)\" is installed; to install it, \(way)"
    }
}
