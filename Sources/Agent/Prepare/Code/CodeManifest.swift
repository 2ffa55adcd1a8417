internal import Shared

/// The file `code.json` of a run: what packs brought into the work tree.
struct CodeManifest: Codable, Equatable, Sendable {
    /// A file, link or folder that a pack brought.
    struct Entry: Hashable, Sendable {
        var path: CodePath
        var content: CodeContent
    }

    /// A result of the training that a sync moves out of the work tree.
    struct KeptResult: Codable, Equatable, Sendable {
        /// Relative to the work tree.
        var path: String
        /// Relative to the run's folder.
        var target: String
    }

    /// That of the new pack.
    var sha256 = ""
    /// Whether the new pack is in place.
    var isComplete = false
    /// The content of the last pack whose sync was complete.
    var files: [Entry] = []
    /// Content that packs of unfinished syncs may have brought; empty if the sync is complete.
    var arriving: [Entry] = []
    /// Results that unfinished syncs may have moved; empty if the sync is complete.
    var kept: [KeptResult] = []

    static func read(of run: RunFolder) throws -> CodeManifest? {
        guard try File.exists(run.codeManifest) else { return nil }
        do {
            return try JSON.decode(
                CodeManifest.self, from: try File.readRegular(run.codeManifest, limit: RunFolder.largeFile))
        } catch is DecodingError {
            throw Problem(
                "\"\(run.codeManifest)\" is damaged",
                hint: "remove it: files of older code then stay in \"\(run.work)\"")
        }
    }

    func write(to run: RunFolder) throws {
        try File.replace(run.codeManifest, with: try JSON.encode(self))
    }
}

extension CodeManifest {
    private enum CodingKeys: String, CodingKey {
        case sha256, files, arriving, kept
        case isComplete = "complete"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sha256 = try container.decode(String.self, forKey: .sha256)
        isComplete = try container.decode(Bool.self, forKey: .isComplete)
        // A damaged manifest must not lead out of the work tree.
        files = try container.decode([Entry].self, forKey: .files).filter(\.path.isInside)
        arriving = try container.decodeIfPresent([Entry].self, forKey: .arriving)?.filter(\.path.isInside) ?? []
        kept = try container.decodeIfPresent([KeptResult].self, forKey: .kept) ?? []
    }
}

extension CodeManifest.Entry: Codable {
    private enum CodingKeys: String, CodingKey {
        case path, sha256, size, executable, link, folder
    }

    /// Also reads the former format, a path alone: that of a folder ends with a slash, and no file has a hash.
    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            let isFolder = text.utf8.last == CodePath.slash
            path = Array(isFolder ? text.utf8.dropLast() : text.utf8[...])
            content = isFolder ? .folder : .unknown
        } else {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            path = Array(try container.decode(String.self, forKey: .path).utf8)
            content = try Self.content(in: container)
        }
    }

    private static func content(in container: KeyedDecodingContainer<CodingKeys>) throws -> CodeContent {
        if let target = try container.decodeIfPresent(String.self, forKey: .link) {
            return .link(target: Array(target.utf8))
        }
        guard let sha256 = try container.decodeIfPresent(String.self, forKey: .sha256) else {
            return try container.decodeIfPresent(Bool.self, forKey: .folder) == true ? .folder : .unknown
        }
        return .file(
            sha256: sha256, size: try container.decode(Int.self, forKey: .size),
            isExecutable: try container.decodeIfPresent(Bool.self, forKey: .executable) ?? false)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path.text, forKey: .path)
        switch content {
        case .file(let sha256, let size, let isExecutable):
            try container.encode(sha256, forKey: .sha256)
            try container.encode(size, forKey: .size)
            if isExecutable { try container.encode(true, forKey: .executable) }
        case .link(let target): try container.encode(target.text, forKey: .link)
        case .folder: try container.encode(true, forKey: .folder)
        case .unknown: break
        }
    }
}
