#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Requirement files of pip, and the files that they include.
public struct RequirementTree: Sendable, Equatable {
    public struct Node: Sendable, Equatable {
        /// The path as the config or another file names it, relative to the working folder.
        public var path: String
        public var file: RequirementFile
    }

    /// In the order of pip, each one once.
    public var nodes: [Node] = []

    /// A file that a config or a requirement file names, and that does not exist.
    public struct MissingFile: Error, Equatable {
        public var path: String
        /// The file that includes it; nil if the config names it.
        public var includedBy: String?
        /// The line that includes it, from 1.
        public var line: Int?

        /// The same in the words of an error.
        public var problem: Problem {
            let place = includedBy.map { "\"\($0)\" includes it in line \(line ?? 0)" }
            return Problem(
                "there is no requirement file \"\(path)\"", hint: place ?? "paths are relative to the top of the code")
        }
    }

    private struct Pending {
        var path: String
        var includedBy: String?
        var line: Int?
    }

    /// Adds requirements that are in no file of the tree. `name` stands for their path.
    public mutating func append(_ file: RequirementFile, named name: String) {
        nodes.append(Node(path: name, file: file))
    }

    /// Reads the files at `paths`, relative to `folder`. Leaves out URLs, and paths for which `isSkipped` returns true.
    /// Throws `MissingFile` or `Problem`.
    public init(
        _ paths: [String], in folder: String, variables: [String: String] = [:],
        isSkipped: (String) -> Bool = { _ in false }
    ) throws {
        var seen: Set<String> = []
        var pending = paths.reversed().map { Pending(path: $0) }
        while let next = pending.popLast() {
            if RequirementReference.isRemote(next.path) || isSkipped(next.path) { continue }
            let full = folder.appending(path: next.path)
            // The real path identifies a file. In a cycle through `..` the named paths would become longer and longer.
            guard let real = realpath(full, nil) else {
                throw MissingFile(path: next.path, includedBy: next.includedBy, line: next.line)
            }
            defer { free(real) }
            guard seen.insert(String(cString: real)).inserted else { continue }
            let file = RequirementFile(try File.read(full), variables: variables)
            nodes.append(Node(path: next.path, file: file))
            pending += file.references.filter { $0.kind == .include }.reversed().map { inner in
                let beside = !inner.isRemote && next.path.contains("/")
                return Pending(
                    path: beside ? next.path.parentFolder.appending(path: inner.target) : inner.target,
                    includedBy: next.path, line: inner.line)
            }
        }
    }
}
