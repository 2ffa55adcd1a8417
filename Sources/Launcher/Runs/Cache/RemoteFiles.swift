internal import HTTPClient
internal import Shared

/// The folder of a run on an agent's volume, read with bounds and checked names.
struct RemoteFiles: Sendable {
    private let agent: AgentClient
    /// Relative to the volume's root.
    private let folder: String
    private let progress: ReadProgress

    private static let maxEntries = 200_000
    private static let maxNameBytes = 255  // NAME_MAX of Linux

    init(agent: AgentClient, folder: String, _ progress: ReadProgress) {
        self.agent = agent
        self.folder = folder
        self.progress = progress
    }

    /// Files in the folder `path`; nil if there is no such folder.
    func files(in path: String) async throws -> [FolderEntry]? {
        do {
            let entries = try await agent.entries(of: "\(folder)/\(path)")
            guard entries.count <= Self.maxEntries else { throw Problem("\"\(path)\" has too many files to be read") }
            for entry in entries { try Self.check(entry.name) }
            return entries.filter { $0.kind == .file }
        } catch let error as APIError where error.code == .notFound {
            return nil
        }
    }

    /// Refuses a name that would lead to another folder.
    private static func check(_ name: String) throws(Problem) {
        let isPlain =
            !name.isEmpty && name != "." && name != ".." && name.utf8.count <= maxNameBytes
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
        if !isPlain { throw Problem("the agent names a file \"\(name.prefix(40))\", which is no file name") }
    }

    /// The small file at `path` unless it is as `cached`.
    func change(of path: String, since cached: FileStatus?, limit: Int) async throws -> AgentClient.FileChange {
        try await agent.change(of: "\(folder)/\(path)", since: cached?.entityTag, limit: limit)
    }

    /// Bytes of the file at `path` now; nil if nothing is there.
    func size(of path: String) async throws -> Int? { try await agent.statusOf("\(folder)/\(path)")?.size }

    /// Copies the bytes of a file from `offset` on to the same place of `file`, up to `end`.
    func copy(_ path: String, _ range: Range<Int>, to file: CacheFile) async throws {
        let remote = try await agent.file("\(folder)/\(path)", from: range.lowerBound, length: range.count)
        guard remote.range.lowerBound == range.lowerBound, remote.range.upperBound <= range.upperBound else {
            throw Problem("the agent sent other bytes of \"\(path)\" than those from \(range.lowerBound) on")
        }
        var position = range.lowerBound
        for try await chunk in remote.body {
            guard chunk.count <= remote.range.upperBound - position else {
                throw Problem("the agent sent more of \"\(path)\" than it said")
            }
            try file.write(chunk, at: position)
            position += chunk.count
            progress.advance()
        }
        guard position == remote.range.upperBound else {
            throw HTTPError(.interrupted, "the agent sent \"\(path)\" only in part")
        }
    }
}
