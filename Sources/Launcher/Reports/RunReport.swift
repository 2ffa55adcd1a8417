internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The state of a run, for `status` and `ls`. The JSON form is stable: fields are added, never renamed.
struct RunReport: Encodable {
    var run: RunID
    /// `starting`, a state of the attempt, the class of its end, `lost` (the pod is gone and left no record of its end)
    /// or `unknown` (the agent cannot be seen from here).
    var state: String
    var isLive: Bool
    var pod: PodReport?
    var volume: String
    var work: String
    var logs: String
    /// Offset after the log's last byte.
    var logEnd: Int
    /// US dollars for all attempts together; nil if no price is known.
    var cost: Double?
    var attempts: [AttemptRecord]
    /// The newest checkpoint of the last attempt's lineage that has a receipt.
    var proven: CheckpointReference?
    var savesOnSignal: SavesOnSignal?
    /// nil unless the run trains.
    var training: TrainingReport?
    /// Reports of changes to the user's files and settings by the newest launch, a line each; nil if there are none.
    var notes: [String]?

    struct PodReport: Encodable {
        var id: String
        var isRunning: Bool
        var address: String?
        /// US dollars for an hour while it runs.
        var price: Double?
        /// US dollars for a month of the disk of a stopped pod.
        var storagePrice: Double?
        /// The provider may take it away.
        var isSpot: Bool?
        /// Pid of its first process, once the agent has claimed the run.
        var pid: Int32?
    }

    /// Files that it reads besides the records.
    static let parts: Set<RunPart> = [.receipts, .logEnd]

    init(of view: RunView, at now: Date = Date()) throws {
        run = view.id
        state = view.state.word
        isLive = view.state.isLive
        pod = view.pod.map { pod in
            let claim = view.claims.last { $0.pod == pod.id }
            return PodReport(
                id: pod.id, isRunning: pod.isRunning, address: pod.address, price: pod.price,
                storagePrice: pod.storagePrice, isSpot: pod.isSpot ? true : nil, pid: claim?.processes.first?.pid)
        }
        volume = view.run.source.place
        work = view.original.work
        logs = view.original.logs
        logEnd = try LogStream(of: view.folder).end
        cost = try view.folder.spending(of: view.claims).cost
        attempts = try view.attempts()
        let receipt = try view.folder.allReceipts().filter { $0.lineage == view.claims.last?.lineage }
            .reduce(nil as Receipt?) { newest, next in
                newest.map { next.reference.isNewer(than: $0.reference) } ?? true ? next : newest
            }
        proven = receipt?.reference
        training = !isLive ? nil : attempts.last.flatMap { TrainingReport(of: $0, proven: receipt, at: now) }
        savesOnSignal = SavesOnSignal(of: attempts)
        notes = try view.folder.spec()?.launch.notes
    }

    var text: String {
        var rows = [(name: "run", value: run.text), ("state", state)]
        if let pod { rows.append(("pod", pod.id + (pod.isRunning ? "" : " (gone)"))) }
        if let last = attempts.last {
            rows.append(("attempt", "\(last.number)"))
            if training == nil, let step = last.step { rows.append(("step", Format.number(step))) }
            if let outcome = last.outcome, let message = outcome.message { rows.append(("reason", message)) }
            if let exit = last.outcome?.exit { rows.append(("exit code", "\(exit.shellCode)")) }
            if let resumed = last.resumedFrom { rows.append(("resumed", resumed.words)) }
            if let newest = last.checkpoints?.newest { rows.append(("checkpoint", newest.path)) }
        }
        if let proven {
            let age = training?.provenAge.map { ", saved \(Format.clock($0)) ago" } ?? ""
            rows.append(("proven", proven.words + age))
        }
        rows += (training?.rows ?? []).map { ($0.name, $0.value) }
        if let savesOnSignal { rows.append(("save on signal", savesOnSignal.text)) }
        if let cost { rows.append(("cost", Dollars.text(cost) + price)) }
        rows.append(("log", "\(logs) (\(logEnd) bytes)"))
        return (Table(rows).lines + history).map { $0 + "\n" }.joined()
    }

    private var price: String {
        attempts.last?.bill.map { ", at \(Dollars.text($0.price)) an hour" } ?? ""
    }

    /// One line for each earlier attempt, and everything known about a bad end of the last one.
    private var history: [String] {
        guard let last = attempts.last, attempts.count > 1 || last.death != nil else { return [] }
        let earlier = attempts.dropLast().suffix(20).map { AttemptText(attempt: $0).line }
        let latest = AttemptText(attempt: last)
        return [""] + earlier + (last.death == nil ? [latest.line] : latest.lines)
    }
}
