internal import Glibc
internal import Shared

/// `logs/current.log` of a volume: a link to the live segment of the run that began last.
struct CurrentLog: Sendable {
    let link: String
    let run: RunFolder

    init(of volume: Volume, for run: RunFolder) {
        link = volume.currentLog
        self.run = run
    }

    private var folder: String { "../runs/\(run.path.lastComponent)/logs" }

    /// Leads to this run from now on. A file of the user's by that name is moved aside.
    func take(_ segment: String) throws(Problem) {
        try File.makeFolders(link.parentFolder)
        if let status = File.status(link), !status.isLink {
            let aside = "\(link).\(status.modified)"
            do { try Errno.check { rename(link, aside) } } catch {
                throw Problem("move \"\(link)\" aside", errno: error.code)
            }
        }
        try File.replaceLink(link, to: "\(folder)/\(segment.lastComponent)")
    }

    /// Follows this run to its next segment, unless the link leads to another run by now. It is a convenience: no error of it counts.
    func follow(_ segment: String) {
        guard let target = try? File.readLink(link), target.parentFolder == folder else { return }
        try? File.replaceLink(link, to: "\(folder)/\(segment.lastComponent)")
    }
}
