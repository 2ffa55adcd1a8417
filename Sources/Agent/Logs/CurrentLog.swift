internal import Glibc
internal import Shared

/// The link `logs/current.log` of a volume. It leads to the live segment of the run that began last.
struct CurrentLog: Sendable {
    let link: String
    let run: RunFolder

    init(of volume: Volume, for run: RunFolder) {
        link = volume.currentLog
        self.run = run
    }

    private var folder: String { "../runs/\(run.path.lastComponent)/logs" }

    /// Makes the link lead to this run. A user's file with that name is renamed, with its time of change as the suffix.
    func take(_ segment: String) throws(Problem) {
        try File.makeFolders(link.parentFolder)
        if let status = File.status(link), !status.isLink {
            let newName = "\(link).\(status.modified)"
            do { try Errno.check { rename(link, newName) } } catch {
                throw Problem("rename \"\(link)\"", errno: error.code)
            }
        }
        try File.replaceLink(link, to: "\(folder)/\(segment.lastComponent)")
    }

    /// Makes the link lead to this run's next segment, unless it leads to another run by now. Ignores errors: the link
    /// is only a convenience.
    func follow(_ segment: String) {
        guard let target = try? File.readLink(link), target.parentFolder == folder else { return }
        try? File.replaceLink(link, to: "\(folder)/\(segment.lastComponent)")
    }
}
