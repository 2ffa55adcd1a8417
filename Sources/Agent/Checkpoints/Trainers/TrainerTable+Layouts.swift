internal import Glibc
internal import Shared

extension TrainerTable {
    /// Returns the layouts of a folder with these files directly in it. `folder` is the folder's name.
    static func layouts(of files: some Collection<String>, in folder: String) -> [Layout] {
        layouts.filter { layout in
            (layout.folder.map { fnmatch($0, folder, 0) == 0 } ?? true)
                && layout.markers.allSatisfy { marker in files.contains { fnmatch(marker, $0, 0) == 0 } }
        }
    }

    /// Whether a file of that name says that the checkpoint that it is in is not complete.
    static func isMarkInside(_ name: String) -> Bool { marksInside.contains { fnmatch($0, name, 0) == 0 } }

    /// Whether the entry `name` is no checkpoint itself, but says that the one beside it is not complete.
    static func isMarkBeside(_ name: String) -> Bool { marksBeside.contains { name.hasSuffix($0) } }

    /// Returns the layout whose last file the checkpoint has, written after all others; nil if there is none.
    ///
    /// `files` has the status of each file by its path inside, `name` is the checkpoint's name.
    static func ended(_ files: [String: FileStatus], name: String) -> Layout? {
        layouts(of: files.keys.filter { !$0.contains("/") }, in: name.lastComponent).first { layout in
            guard let last = files[layout.last] else { return false }
            return files.values.allSatisfy { $0.modified <= last.modified }
        }
    }
}
