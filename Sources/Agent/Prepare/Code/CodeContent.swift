/// The content of one path: that of a pack, or that of the work tree.
enum CodeContent: Hashable, Sendable {
    case file(sha256: String, size: Int, isExecutable: Bool)
    case link(target: CodePath)
    case folder
    /// Content that equals no other: a pipe, a file of a size that no pack brought, or a file in a manifest without
    /// hashes.
    case unknown

    /// Whether both have the same bytes, whatever their executable bits are.
    func hasSameBytes(as other: CodeContent?) -> Bool {
        switch (self, other) {
        case (.file(let sha256, _, _), .file(let otherSHA256, _, _)): sha256 == otherSHA256
        case (.link(let target), .link(let otherTarget)): target == otherTarget
        case (.folder, .folder): true
        default: false
        }
    }

    /// The size in bytes of a file.
    var size: Int? { if case .file(_, let size, _) = self { size } else { nil } }
}
