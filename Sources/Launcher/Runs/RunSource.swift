internal import Shared

/// Makes the files of a run readable on this machine, in the layout of `RunFolder`.
protocol RunSource: Sendable {
    /// The run's folder with at least `parts` in it, as they are now. Empty if there is no such run.
    func folder(of run: RunID, with parts: Set<RunPart>) async throws -> RunFolder

    /// The checkpoints that lie on the volume now, the oldest first.
    func checkpoints(of run: RunID) async throws -> [ListedCheckpoint]

    /// The volume as the run's pod names it: the paths that a person is shown.
    var original: Volume { get }

    /// For a person: a folder, or a volume and its data centre.
    var place: String { get }
}

/// Files of a run that are read together.
enum RunPart: Hashable {
    /// The spec, and every attempt's claim, record and heartbeat.
    case records
    case receipts
    /// The end of the log: all that a terminal shows, and a megabyte at least.
    case logEnd
    /// The log from this byte on, with its index of times.
    case log(from: Int)
}
