internal import FoundationEssentials
internal import Glibc
internal import Shared

/// A line that the agent itself writes into the run's log. Users and scripts read these lines, so all texts are here.
enum LogLine: Sendable, Equatable {
    // MARK: The attempt

    /// The first line of each attempt.
    case attempt(Int, pod: String, claimed: Date)
    /// The resolved spec as JSON, in one line.
    case config(String)
    /// The launch asked for a new lineage, and this attempt is the first of it.
    case forceRestart
    case resuming(from: String, isProven: Bool)
    case startingFresh
    /// The disk at the path is nearly full. `free` is in bytes.
    case lowSpace(String, free: Int)
    /// `limits.cost` is set, but the launch order has no price.
    case costUnlimited
    case retry(attempt: Int, after: Duration)

    // MARK: The end of the training

    /// Written once when the training is asked to end. `timeout` is in seconds.
    case stopping(timeout: Int)
    /// Written from time to time while the training saves. The time since `stopping` and the timeout are in seconds.
    case stillStopping(Int, timeout: Int)
    /// The timeout is over, and all processes of the training that still run got this signal: SIGTERM or SIGKILL.
    case signalled(Int32)
    /// The training stalled. Followed by a `captured` line for each thing that was read from its processes.
    case stalled
    /// One line that was read from a process: from a stalled one, or from one that failed.
    case captured(String)
    /// The command has ended, and the agent follows the training that it left in the background. The texts are command
    /// lines.
    case background([String])
    /// The training has ended, and these processes that it left were killed. The texts are command lines.
    case leftoversKilled([String])
    /// A line of the command failed with this exit code, and the command carried on and ended well.
    case lineFailed(Int, text: String, code: Int)
    /// Some processes hang in a system call, so that SIGKILL has no effect.
    case unkillable
    /// The volume did not store the attempt's record with the outcome.
    case endNotRecorded(within: Duration)
    /// Why the pod must not be deleted yet.
    case checkpointNotSafe(String)
    case outcome(OutcomeClass, reason: String)
    /// `kills` is how many processes the kernel killed; 0 if only the training's output says that memory ran out.
    case outOfMemory(kills: Int)
    /// The last line of each attempt.
    case exitCode(Int32)

    // MARK: The progress

    /// The user's expression for the step took too long on a line and is not used any more.
    case patternOff(String, after: Duration)

    // MARK: Checkpoints

    /// The system reported an error on reading the checkpoint at the path.
    case unreadable(String, reason: String)
    /// The checkpoint at the path was moved out of the training's way.
    case torn(String, reason: String, movedTo: String)
    /// The same, but the checkpoint could not be moved.
    case tornInPlace(String, reason: String, problem: Problem)
    /// A fixed name leads to a folder elsewhere, which the agent must not move.
    case linkSkipped(String)
    /// `step` is about the step at which the copied checkpoint was saved.
    case restored(String, attempt: Int, step: Int?)
    /// The fixed name at the path could not be restored from its copy.
    case notRestored(String, problem: Problem)
    /// The copy at the path no longer matches its receipt.
    case unusableCopy(String, reason: String)
    /// No copy was made of a checkpoint with a fixed name.
    case notKept(Problem)
    case noReceipt(String, problem: Problem)
    /// The empty checkpoint folder of an earlier attempt was removed before a fresh start.
    case leftoverRemoved(String)
    /// No step was read although the training prints lines, here the last of them. `stall` is not armed then.
    case noStep(line: String, isStallSet: Bool)
    /// The training ended before its first step with the checkpoint at the path, and gets the other one.
    case gaveWay(String, to: String)
    /// A file or link that names the newest checkpoint had another name in it. It was removed if there is no new name.
    case repointed(String, from: String, to: String?)
    case pruned(String)
    /// Proven checkpoints of this form will be deleted, except the newest.
    case willPrune(String, keep: Int)

    // MARK: The code

    /// "launch" has not sent the pack yet.
    case waitingForCode
    /// The pack brought another file to the path. The result of the training moved.
    case resultReplaced(String, movedTo: String)
    /// The same, for results that have no line of their own.
    case moreResultsReplaced(Int, movedTo: String)
    /// The result of the training stays at the path. `isInCode`: the pack has the file too, with other content.
    case resultStays(String, isInCode: Bool)
    /// The same, for results that have no line of their own.
    case moreResultsStay(Int)

    // MARK: The log, the environment, the pod

    /// The log had no room for these bytes.
    case dropped(bytes: Int, reason: String)
    /// The volume took these bytes and lost them before they were on stable storage. Offsets are those of the run's
    /// log.
    case lost(Range<Int>)
    /// `reason` says why an earlier environment does not do.
    case environment(String, isReused: Bool, reason: String? = nil)
    /// The network failed during the installation of dependencies.
    case installationRetried(after: Duration)
    /// `event` is the name in the posted JSON.
    case notPosted(event: String, reason: String, isRetried: Bool)
    /// `verb` is `stop` or `terminate`, `route` the name of the way that was tried.
    case podNotEnded(verb: String, route: String, reason: String)
    /// The route took the request, but reading the pod back does not show that it ended.
    case podEndNotSeen(verb: String, route: String, reason: String)
    case podStillRuns(retryAfter: Duration)
}

extension LogLine {
    /// Whether the line is about something that the agent did to the user's files, processes or settings.
    var isNote: Bool {
        switch self {
        case .leftoversKilled, .lineFailed, .patternOff, .torn, .linkSkipped, .restored, .notRestored, .unusableCopy,
            .pruned, .willPrune, .gaveWay, .repointed, .leftoverRemoved, .noStep, .resultReplaced,
            .moreResultsReplaced, .resultStays, .moreResultsStay:
            true
        default: false
        }
    }

    /// The line without its line break.
    var text: String {
        switch self {
        case .attempt(let number, let pod, let claimed): "====== \(claimed.inLog) attempt \(number) pod \(pod) ======"
        case .config(let spec): "CONFIG: \(spec)"
        case .forceRestart: "FORCE RESTART: checkpoints ignored"
        case .resuming(let path, let isProven): "RESUMING FROM: \(path)\(isProven ? "" : " (unproven)")"
        case .startingFresh: "STARTING FRESH"
        case .lowSpace(let path, let free): "WARNING: only \(free >> 20) MiB are free at \(path)"
        case .costUnlimited: "WARNING: limits.cost has no effect: the price of this pod is unknown"
        case .retry(let attempt, let pause): "RETRY: attempt \(attempt) in \(pause.wholeSeconds) s"

        case .stopping(let timeout): "STOPPING: the training has \(timeout) s to save and exit"
        case .stillStopping(let spent, let timeout):
            "STOPPING: waiting for the training to save, \(spent) of \(timeout) s"
        case .signalled(let signal):
            "STOPPING: sent \(signal == SIGKILL ? "SIGKILL" : "SIGTERM") to all remaining processes"
        case .stalled: "STALLED: the processes as seen from outside:"
        case .captured(let line): line
        case .background(let commands):
            "BACKGROUND: the command has ended; following what it left running: " + commands.joined(separator: "; ")
        case .leftoversKilled(let commands):
            "KILLED: still running 10 s after the end of the training: " + commands.joined(separator: "; ")
        case .lineFailed(let number, let text, let code):
            "WARNING: line \(number) of the command failed with exit code \(code) although the last one did not: \(text)"
        case .patternOff(let pattern, let limit):
            "WARNING: \"progress\" took longer than \(limit.milliseconds) ms on a line and is switched off: \(pattern)"
        case .unkillable: "WARNING: some processes are still there after SIGKILL and are left behind"
        case .endNotRecorded(let timeout):
            "WARNING: the volume did not store the record of the end within \(timeout.wholeSeconds) s"
        case .checkpointNotSafe(let reason): "WARNING: the newest checkpoint is not proven to be safe: \(reason)"
        case .outcome(let kind, let reason): "\(kind.rawValue.uppercased()): \(reason)"
        case .outOfMemory(let kills): "OUT-OF-MEMORY: \(Self.memoryReason(kills: kills))"
        case .exitCode(let code): "EXIT_CODE=\(code)"

        case .waitingForCode: "WAITING: launch sends the code"
        case .unreadable(let path, let reason): "UNREADABLE: \(path): \(reason); left in place"
        case .torn(let path, let reason, let target): "TORN: \(path): \(reason); moved to \(target)"
        case .tornInPlace(let path, let reason, let problem): "TORN: \(path): \(reason); \(problem)"
        case .linkSkipped(let path): "SKIPPED: \(path): a link to a folder; give \"checkpoints\" that folder's own path"
        case .restored(let path, let attempt, let step):
            "RESTORED: \(path): the copy of attempt \(attempt)\(step.map { ", saved at about step \($0)" } ?? "")"
        case .notRestored(let path, let problem): "WARNING: \(path) is not restored from its copy: \(problem)"
        case .unusableCopy(let path, let reason): "UNUSABLE COPY: \(path): \(reason); left in place"
        case .notKept(let problem): "NOT KEPT: \(problem)"
        case .noReceipt(let path, let problem): "WARNING: no receipt of \(path): \(problem)"
        case .leftoverRemoved(let path): "REMOVED: \(path): an empty folder that an earlier attempt left"
        case .noStep(let line, let isStallSet):
            "WARNING: no step is read from the output\(isStallSet ? ", so limits.stall is not armed" : ""); set \"progress\" "
                + "if it prints one; its last line is: \(line)"
        case .gaveWay(let path, let other):
            "GAVE WAY: \(path): the training ended before its first step; next is \(other)"
        case .repointed(let path, let old, let new?): "POINTER: \(path): \"\(old)\" is now \"\(new)\""
        case .repointed(let path, let old, nil): "POINTER: \(path): removed, because there is no \"\(old)\""
        case .pruned(let path): "PRUNED: \(path)"
        case .willPrune(let form, let keep):
            "KEEP: \(form): the newest \(keep) proven stay, and so does the best; older ones that this run saved and "
                + "proved are deleted"

        case .resultReplaced(let path, let target):
            "REPLACED: \(path): the code has another file; the result of the training moved to \(target)"
        case .moreResultsReplaced(let count, let target): "REPLACED: \(count) more, moved to \(target)"
        case .resultStays(let path, let isInCode):
            "KEPT: \(path): a result of the training; the code "
                + (isInCode ? "has an unchanged older file" : "no longer has the file")
        case .moreResultsStay(let count): "KEPT: \(count) more results of the training that differ from the code"

        case .dropped(let bytes, let reason): "LOG GAP: \(bytes) bytes could not be kept (\(reason))"
        case .lost(let bytes):
            "LOG GAP: the volume lost \(bytes.count) bytes from byte \(bytes.lowerBound) on; zeros replace them"
        case .environment(let path, let isReused, let reason):
            "ENVIRONMENT: \(path) (\(isReused ? "reused" : "installing")\(reason.map { ": \($0)" } ?? ""))"
        case .installationRetried(let pause):
            "ENVIRONMENT: the network failed; trying again in \(pause.wholeSeconds) s"
        case .notPosted(let event, let reason, let isRetried):
            "NOTIFY: could not post \"\(event)\": \(reason)\(isRetried ? "; retrying" : "")"
        case .podNotEnded(let verb, let route, let reason): "POD: could not \(verb) the pod by \(route): \(reason)"
        case .podEndNotSeen(let verb, let route, let reason):
            "POD: \(route) accepted the request to \(verb) the pod, but the pod's end is not seen: \(reason)"
        case .podStillRuns(let pause): "POD: still running and billed; retrying in \(pause.wholeSeconds) s"
        }
    }

    private static func memoryReason(kills: Int) -> String {
        switch kills {
        case 0: "the training's last lines say so"
        case 1: "the kernel killed a process for lack of memory"
        default: "the kernel killed \(kills) processes for lack of memory"
        }
    }
}

extension Console {
    static func say(_ line: LogLine) { say(line.text) }
}

extension Date {
    /// `2026-11-21 10:00:00`, in UTC.
    fileprivate var inLog: String {
        formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int { Int(inSeconds.rounded()) }
}
