internal import FoundationEssentials
internal import Shared

/// An attempt that this agent owns.
struct OpenAttempt: Sendable {
    let spec: RunSpec
    let run: RunFolder
    let claim: Claim
    /// Every claim of the run up to this one, in order.
    let claims: [Claim]
    let journal: Journal
    let log: LogWriter
    let volume: VolumeWriter
    /// The receipts of this attempt's lineage; nil if the spec names no checkpoints.
    let receipts: Receipts?
    /// Shows whether a checkpoint is being saved; nil if the spec names no checkpoints.
    let saves: SaveWatch?
    let began: ContinuousClock.Instant
    /// The time and the money that the run's earlier attempts used.
    let spentBefore: Spending
    /// The attempt before, if it is of the same launch and its agent died, so that no notice of its end was posted.
    let crash: AttemptRecord?
    /// The commit of the packed code; nil if the code is in no repository.
    var commit: CodeCommit?

    /// Bytes that the record of the end may need. They are reserved in a file, so that a full volume can take that
    /// record.
    private static let reserveSize = 64 << 10

    /// Opens the attempt of `claim`: writes the spec, the reserve and the first line of the log. Blocks as long as the
    /// volume does.
    static func open(
        _ claim: Claim, spec: RunSpec, run: RunFolder, volume: VolumeWriter, console: ContainerOutput? = nil
    ) throws -> OpenAttempt {
        try File.replace(run.specFile, with: try JSON.encode(spec, pretty: true))
        let beginsLine = (try? LogStream(of: run).endsLine) ?? true
        let log = try LogWriter(
            claim, of: run, rule: spec.logs, beginsLine: beginsLine,
            current: CurrentLog(of: Volume(root: spec.volume), for: run), console: console, volume: volume)
        do {
            try File.replace(run.reservePath(claim.number), with: [UInt8](repeating: 0x20, count: reserveSize))
        } catch {
            Console.say("no room is reserved for the record of the end: \(error)")
        }
        var record = AttemptRecord(claim: claim, run: spec.run, spec: try spec.fingerprint)
        let claims = try run.usableClaims()
        record.bill = try Predecessor.bill(for: claim, spec.launch, after: claims, in: run)
        var receipts = Receipts(of: spec, in: run, for: claim)
        receipts?.say = { log.say($0) }
        let journal = Journal(record, run: run, volume: volume)
        log.observe { line in
            if line.isNote { journal.change { $0.note(line.text) } }
        }
        let attempt = OpenAttempt(
            spec: spec, run: run, claim: claim, claims: claims, journal: journal, log: log, volume: volume,
            receipts: receipts,
            saves: receipts.map { receipts in SaveWatch(folder: receipts.folder) { receipts.isComplete($0) } },
            began: .now,
            spentBefore: try run.spending(of: claims.filter { $0.number < claim.number }),
            crash: try Predecessor.crash(before: claim, in: run))
        volume.look { try run.isSuperseded(claim.number) }
        log.say(.attempt(claim.number, pod: claim.pod, claimed: claim.claimed))
        return attempt
    }

    /// The duration of this attempt so far, in seconds.
    var seconds: Double { began.duration(to: .now).inSeconds }

    var status: StatusReport {
        var attempt = journal.current
        if !attempt.isOver { attempt.lasted(seconds) }
        return StatusReport(
            version: Version.current, attempt: attempt, logEnd: log.progress.end,
            logDurable: log.progress.durable, logTrouble: log.trouble)
    }
}
