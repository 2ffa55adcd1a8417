internal import Glibc
internal import Shared

/// The files of an SQLite database. Beside the database itself lie its journals, which SQLite reads with it: those of
/// one database destroy another one of the same name. https://www.sqlite.org/tempfiles.html
struct DatabaseFiles {
    let tree: CodeWorkTree
    /// The paths that are named like journals, by their folders.
    private var found: [CodePath: Set<CodePath>] = [:]

    init(of tree: CodeWorkTree) { self.tree = tree }

    private static let endings = ["-wal", "-journal", "-shm"].map { Array($0.utf8) }

    /// The first bytes of each database, https://www.sqlite.org/fileformat.html
    private static let magic = Array("SQLite format 3\0".utf8)

    /// Returns the files that lie beside `path` and are named like its journals. Reads each folder once.
    mutating func journals(of path: CodePath) -> [CodePath] {
        let folder = path.folders.last ?? []
        if found[folder] == nil {
            let names = (try? tree.names(in: folder)) ?? []
            found[folder] = Set(names.filter { Self.database(of: $0) != nil }.map(folder.appending))
        }
        return Self.endings.map { path + $0 }.filter { found[folder]?.contains($0) == true }
    }

    /// Returns the path of the database whose journal has this path; nil if the name is not that of a journal.
    static func database(of journal: CodePath) -> CodePath? {
        endings.first { journal.reversed().starts(with: $0.reversed()) }.map { Array(journal.dropLast($0.count)) }
    }

    /// Whether a file is a database. An empty one has all of its content in a journal.
    func isDatabase(_ path: CodePath) -> Bool {
        guard let status = tree.status(path), status.isFile else { return false }
        return status.size == 0 || (try? File.read(tree.absolute(path), at: 0, limit: Self.magic.count)) == Self.magic
    }
}
