internal import FoundationEssentials
internal import Glibc
internal import Shared

/// An attempt that this agent owns, as the API and the supervisor see it.
struct Work: Sendable {
    let run: RunFolder
    let claim: Claim
    /// Every claim of the run up to this one, in order.
    let claims: [Claim]
    let journal: Journal
    let log: LogWriter
    let volume: VolumeWriter
    let began: ContinuousClock.Instant
    /// How long the run's earlier attempts lasted together, in seconds.
    let secondsBefore: Double

    /// Bytes that the record of the end may need, written aside with a folder entry of its own.
    private static let reserveSize = 64 << 10

    /// Opens the attempt that `claim` gives the right to: its live segment, its record, the run's record.
    static func open(_ claim: Claim, spec: RunSpec, run: RunFolder, volume: VolumeWriter) throws -> Work {
        try File.replace(run.specFile, with: try JSON.encode(spec, pretty: true))
        let segment = run.liveSegment(from: claim.logBegan, attempt: claim.number)
        let beginsLine = (try? LogStream(of: run).endsLine) ?? true
        let log = try LogWriter(segment: segment, offset: claim.logBegan, beginsLine: beginsLine, volume: volume)
        try File.syncFolder(of: segment)
        try link(segment, of: run, from: Volume(root: spec.volume))
        try File.replace(run.reserve(of: claim.number), with: [UInt8](repeating: 0x20, count: reserveSize))
        let record = AttemptRecord(claim: claim, run: spec.run, spec: try spec.fingerprint)
        let claims = try run.claims()
        let work = Work(
            run: run, claim: claim, claims: claims, journal: Journal(record, run: run, volume: volume), log: log,
            volume: volume, began: .now, secondsBefore: try Predecessor.seconds(before: claim, claims, in: run))
        volume.look { File.exists(run.claim(claim.number + 1)) }
        log.say("====== \(claim.claimed.inLog) attempt \(claim.number) pod \(claim.pod) ======")
        return work
    }

    /// `logs/current.log` of the volume shows the newest run's live segment. A file of the user's by that name is moved aside.
    private static func link(_ segment: String, of run: RunFolder, from volume: Volume) throws {
        let link = volume.currentLog
        try File.makeFolders(link.parentFolder)
        if let status = File.status(link), !status.isLink {
            let aside = "\(link).\(status.modified)"
            do { try Errno.check { rename(link, aside) } } catch {
                throw Problem("move \"\(link)\" aside", errno: error.code)
            }
        }
        try File.replaceLink(link, to: "../runs/\(run.path.lastComponent)/logs/\(segment.lastComponent)")
    }

    /// How long this attempt has lasted, in seconds.
    var seconds: Double { began.duration(to: .now).inSeconds }

    var status: StatusReport {
        StatusReport(
            version: Version.current, attempt: journal.current, logEnd: log.progress.end,
            logDurable: log.progress.durable)
    }
}

extension Date {
    /// `2026-11-21 10:00:00`, in UTC.
    fileprivate var inLog: String {
        formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    }
}
