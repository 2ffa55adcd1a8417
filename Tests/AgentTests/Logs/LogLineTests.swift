import FoundationEssentials
import Glibc
import Shared
import Testing

@testable import Agent

/// Users and scripts read these lines: a text that changes here changes for them.
@Suite struct LogLineTests {
    private static let full = Problem("store x", errno: ENOSPC)

    /// Each case at least once.
    private static let texts: [(LogLine, String)] = [
        (
            .attempt(3, pod: "abc", claimed: Date(timeIntervalSince1970: 1_800_000_000)),
            "====== 2027-01-15 08:00:00 attempt 3 pod abc ======"
        ),
        (.config("{}"), "CONFIG: {}"),
        (.forceRestart, "FORCE RESTART: checkpoints ignored"),
        (.resuming(from: "/v/c-1", isProven: true), "RESUMING FROM: /v/c-1"),
        (.resuming(from: "/v/c-1", isProven: false), "RESUMING FROM: /v/c-1 (unproven)"),
        (.startingFresh, "STARTING FRESH"),
        (.costUnlimited, "WARNING: limits.cost has no effect: the price of this pod is unknown"),
        (.retry(attempt: 2, after: .seconds(9.6)), "RETRY: attempt 2 in 10 s"),

        (.stopping(timeout: 60), "STOPPING: the training has 60 s to save and exit"),
        (.stillStopping(15, timeout: 60), "STOPPING: waiting for the training to save, 15 of 60 s"),
        (.signalled(SIGTERM), "STOPPING: sent SIGTERM to all remaining processes"),
        (.signalled(SIGKILL), "STOPPING: sent SIGKILL to all remaining processes"),
        (.stalled, "STALLED: the processes as seen from outside:"),
        (.captured("pid 7"), "pid 7"),
        (
            .background(["python3 train.py", "tee log"]),
            "BACKGROUND: the command has ended; following what it left running: python3 train.py; tee log"
        ),
        (
            .leftoversKilled(["tensorboard --port 1"]),
            "KILLED: still running 10 s after the end of the training: tensorboard --port 1"
        ),
        (.unkillable, "WARNING: some processes are still there after SIGKILL and are left behind"),
        (.endNotRecorded(within: .seconds(30)), "WARNING: the volume did not store the record of the end within 30 s"),
        (.checkpointNotSafe("why"), "WARNING: the newest checkpoint is not proven to be safe: why"),
        (.outcome(.setupFailed, reason: "why"), "SETUP-FAILED: why"),
        (.outOfMemory(kills: 0), "OUT-OF-MEMORY: the training's last lines say so"),
        (.outOfMemory(kills: 1), "OUT-OF-MEMORY: the kernel killed a process for lack of memory"),
        (.outOfMemory(kills: 2), "OUT-OF-MEMORY: the kernel killed 2 processes for lack of memory"),
        (.exitCode(143), "EXIT_CODE=143"),

        (.unreadable("/v/c-1", reason: "why"), "UNREADABLE: /v/c-1: why; left in place"),
        (.torn("/v/c-1", reason: "why", movedTo: "/v/torn/c-1"), "TORN: /v/c-1: why; moved to /v/torn/c-1"),
        (
            .tornInPlace("/v/c-1", reason: "why", problem: full),
            "TORN: /v/c-1: why; could not store x: No space left on device"
        ),
        (.linkSkipped("/v/c"), "SKIPPED: /v/c: a link to a folder; give \"checkpoints\" that folder's own path"),
        (
            .restored("/v/last.ckpt", attempt: 2, step: 10),
            "RESTORED: /v/last.ckpt: the copy of attempt 2, saved at about step 10"
        ),
        (.restored("/v/last.ckpt", attempt: 2, step: nil), "RESTORED: /v/last.ckpt: the copy of attempt 2"),
        (
            .notRestored("/v/last.ckpt", problem: full),
            "WARNING: /v/last.ckpt is not restored from its copy: could not store x: No space left on device"
        ),
        (.unusableCopy("/v/kept/1", reason: "why"), "UNUSABLE COPY: /v/kept/1: why; left in place"),
        (.notKept(full), "NOT KEPT: could not store x: No space left on device"),
        (
            .noReceipt("/v/c-1", problem: full),
            "WARNING: no receipt of /v/c-1: could not store x: No space left on device"
        ),
        (.pruned("/v/c-1"), "PRUNED: /v/c-1"),

        (
            .resultReplaced("out/a", movedTo: "/v/replaced/0002/out/a"),
            "REPLACED: out/a: the code has another file; the result of the training moved to /v/replaced/0002/out/a"
        ),
        (.moreResultsReplaced(7, movedTo: "/v/replaced/0002"), "REPLACED: 7 more, moved to /v/replaced/0002"),
        (
            .resultStays("out/a", isInCode: true),
            "KEPT: out/a: a result of the training; the code has an unchanged older file"
        ),
        (
            .resultStays("out/a", isInCode: false),
            "KEPT: out/a: a result of the training; the code no longer has the file"
        ),
        (.moreResultsStay(7), "KEPT: 7 more results of the training that differ from the code"),

        (.dropped(bytes: 5, reason: "why"), "LOG GAP: 5 bytes could not be kept (why)"),
        (.lost(10..<15), "LOG GAP: the volume lost 5 bytes from byte 10 on; zeros replace them"),
        (.environment("/v/e", isReused: true), "ENVIRONMENT: /v/e (reused)"),
        (.environment("/v/e", isReused: false), "ENVIRONMENT: /v/e (installing)"),
        (.notPosted(event: "end", reason: "why", isRetried: true), "NOTIFY: could not post \"end\": why; retrying"),
        (.notPosted(event: "end", reason: "why", isRetried: false), "NOTIFY: could not post \"end\": why"),
        (
            .podNotEnded(verb: "stop", route: "a route", reason: "why"),
            "POD: could not stop the pod by a route: why"
        ),
        (
            .podEndNotSeen(verb: "terminate", route: "a route", reason: "why"),
            "POD: a route accepted the request to terminate the pod, but the pod's end is not seen: why"
        ),
        (.podStillRuns(retryAfter: .seconds(5)), "POD: still running and billed; retrying in 5 s"),
    ]

    @Test("each line of the agent has exactly this text", arguments: texts)
    func text(_ line: LogLine, _ text: String) {
        #expect(line.text == text)
    }
}
