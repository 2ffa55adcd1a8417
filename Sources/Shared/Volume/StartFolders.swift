#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Names that trainers vary at each start, so that a new start does not write over an old one. To teach another
/// trainer, add a row.
enum StartFolders {
    /// A folder above it, the folder's own form, and the pattern of the folders of all starts. The first two as in
    /// fnmatch(3); nil for any.
    private static let rows: [(above: String?, form: String, all: String)] = [
        // Lightning
        (nil, "version_[0-9]*", "version_*"),
        // ultralytics
        ("detect", "train*", "train*"), ("segment", "train*", "train*"), ("classify", "train*", "train*"),
        ("pose", "train*", "train*"), ("obb", "train*", "train*"),
        // YOLOv5 and YOLOv7
        ("train", "exp*", "exp*"),
    ]

    /// Returns a path with wildcards in the place of the folders that differ from start to start.
    static func widened(_ path: String) -> String {
        var above = ""
        return path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            let part = String(part)
            let row = rows.first { row in
                (row.above.map { $0 == above } ?? true) && fnmatch(row.form, part, 0) == 0
            }
            above = part
            return row?.all ?? part
        }.joined(separator: "/")
    }

    /// Returns a fixed name and the patterns of the names that a trainer takes when it exists already: Lightning saves
    /// `last-v1.ckpt` beside an old `last.ckpt`.
    static func variants(of name: String) -> [String] {
        guard name.hasSuffix(".ckpt"), !name.contains("*") else { return [name] }
        return [name, "\(name.dropLast(5))-v[0-9]*.ckpt"]
    }
}
