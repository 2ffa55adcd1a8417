internal import FoundationEssentials
internal import Shared

/// An attempt that this agent owns, as the API and the supervisor see it.
struct OpenAttempt: Sendable {
    let run: RunFolder
    let claim: Claim
    /// Every claim of the run up to this one, in order.
    let claims: [Claim]
    let journal: Journal
    let log: LogWriter
    let volume: VolumeWriter
    let began: ContinuousClock.Instant
    /// What the run's earlier attempts used up together.
    let spentBefore: Spending
    /// The attempt before, where it is of the same launch and its agent died: it could tell nobody.
    let crash: AttemptRecord?

    /// Bytes that the record of the end may need, written aside with a folder entry of its own.
    private static let reserveSize = 64 << 10

    /// Opens the attempt that `claim` gives the right to: its live segment, its record, the run's record.
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
            Console.say("nothing is set aside for the record of the end: \(error)")
        }
        var record = AttemptRecord(claim: claim, run: spec.run, spec: try spec.fingerprint)
        let claims = try run.claims()
        record.bill = try Predecessor.bill(for: claim, spec.launch, after: claims, in: run)
        let work = OpenAttempt(
            run: run, claim: claim, claims: claims, journal: Journal(record, run: run, volume: volume), log: log,
            volume: volume, began: .now,
            spentBefore: try run.spending(of: claims.filter { $0.number < claim.number }),
            crash: try Predecessor.crash(before: claim, in: run))
        volume.look { try run.isSuperseded(claim.number) }
        log.say(.attempt(claim.number, pod: claim.pod, claimed: claim.claimed))
        return work
    }

    /// How long this attempt has lasted, in seconds.
    var seconds: Double { began.duration(to: .now).inSeconds }

    var status: StatusReport {
        var attempt = journal.current
        if !attempt.isOver { attempt.lasted(seconds) }
        return StatusReport(
            version: Version.current, attempt: attempt, logEnd: log.progress.end,
            logDurable: log.progress.durable, logTrouble: log.trouble)
    }
}
