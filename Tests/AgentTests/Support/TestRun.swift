import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// A run on a volume of its own, and hand-written traces of earlier attempts.
final class TestRun: Sendable {
    private let folder: TemporaryFolder
    let volume: Volume
    let folders: RunFolder
    let id: RunID

    /// Whether the kernel reports all changes below the folder of temporary files.
    static let changesAreReported = FolderChanges.areReported(at: NSTemporaryDirectory())
    static let changesAreReportedReason: Comment = "TMPDIR is on a file system whose changes the kernel does not report"

    init(_ name: String = "train") throws {
        folder = try TemporaryFolder("volume")
        volume = Volume(root: folder.path)
        guard let id = RunID(name) else { throw Problem("\"\(name)\" is not a run's name") }
        self.id = id
        folders = volume.run(id)
        for path in [folders.attempts, folders.logs, folders.work] { try File.makeFolders(path) }
    }

    func spec(
        launch: String = "L1", force: Bool = false, supersedes: [String] = [], project: String = "project",
        checkpoints: CheckpointRule? = CheckpointRule(path: "out"), workdir: String = "."
    ) -> RunSpec {
        var spec = RunSpec(
            run: id, project: project, command: .exec(["true"]), volume: volume.root,
            launch: LaunchOrder(id: launch, force: force, supersedes: supersedes))
        spec.checkpoints = checkpoints
        spec.workdir = workdir
        return spec
    }

    /// Writes the traces of an earlier attempt: its claim, and its record if `state` is given.
    @discardableResult
    func attempt(
        _ number: Int, pod: String = "other", launch: String = "L1", lineage: String = "L1", logStart: Int = 0,
        process: ProcessIdentity? = nil, state: AttemptState? = nil, outcome: Outcome? = nil
    ) throws -> Claim {
        let claim = Claim(
            number: number, pod: pod, launch: launch, lineage: lineage, logStart: logStart, stream: "stream\(number)",
            processes: process.map { [$0] } ?? [], claimed: Date(timeIntervalSince1970: 1_800_000_000))
        try File.replace(folders.claimPath(number), with: try JSON.encode(claim))
        if let state {
            var record = AttemptRecord(claim: claim, run: id, spec: "")
            record.enter(state, at: Date(timeIntervalSince1970: 1_800_000_001))
            record.outcome = outcome
            try File.replace(folders.recordPath(number), with: try JSON.encode(record))
        }
        return claim
    }

    /// Writes these files of a checkpoint into the folder that `spec` names.
    func checkpoint(_ name: String, _ files: [String: String] = ["model": "m", "state": "s"]) throws {
        let folder = "\(folders.work)/out/\(name)"
        try File.makeFolders(folder)
        for (file, text) in files { try File.write(Array(text.utf8), over: "\(folder)/\(file)") }
    }

    /// Changes every byte of a checkpoint's file, but not its size and times.
    func corrupt(_ name: String, _ file: String) throws { try change(name, file) { $0.map { $0 ^ 1 } } }

    /// Changes one byte of a checkpoint's file, but not its size and times.
    func flip(_ name: String, _ file: String, at place: Int) throws {
        try change(name, file) { bytes in
            var bytes = bytes
            bytes[place] ^= 0x10
            return bytes
        }
    }

    private func change(_ name: String, _ file: String, _ change: ([UInt8]) -> [UInt8]) throws {
        let path = "\(folders.work)/out/\(name)/\(file)"
        var status = stat()
        try Errno.check { stat(path, &status) }
        try File.write(change(try File.read(path)), over: path)
        let times = [status.st_atim, status.st_mtim]
        try Errno.check { utimensat(AT_FDCWD, path, times, 0) }
    }

    /// The receipts of an attempt, nil if `rule` is. With `boot` the agent runs on another boot of the machine.
    func receipts(
        _ rule: CheckpointRule? = CheckpointRule(path: "out"), attempt: Int = 1, lineage: String = "L1",
        boot: String? = nil
    ) throws -> Receipts? {
        let claim = try self.attempt(attempt, launch: lineage, lineage: lineage)
        var receipts = Receipts(of: spec(checkpoints: rule), in: folders, for: claim)
        if let boot { receipts?.boot = boot }
        return receipts
    }

    /// Proves a checkpoint.
    @discardableResult
    func prove(_ name: String, boot: String? = nil) throws -> Receipt {
        guard let receipts = try receipts(boot: boot),
            let checkpoint = try receipts.found().first(where: { $0.name == name })
        else { throw Problem("no \(name)") }
        let receipt = try receipts.prove(checkpoint, by: .laterStep)
        try receipts.write(receipt)
        return receipt
    }

    /// Appends to the segment that begins at `offset`.
    func log(_ text: String, from offset: Int, attempt: Int) throws {
        let path = folders.liveSegmentPath(from: offset, attempt: attempt)
        let old = try File.exists(path) ? File.read(path) : []
        try File.write(old + Array(text.utf8), over: path)
    }

    /// All of the run's log.
    func log() throws -> [UInt8] {
        let stream = try LogStream(of: folders)
        var bytes: [UInt8] = []
        while case let more = try stream.read(at: bytes.count, limit: 1 << 20), !more.isEmpty { bytes += more }
        return bytes
    }
}

extension Claim {
    /// A claim for tests that use nothing of it but its log.
    static func test(_ number: Int, logStart: Int) -> Claim {
        Claim(
            number: number, pod: "pod", launch: "L1", lineage: "L1", logStart: logStart, stream: "stream\(number)",
            processes: [], claimed: Date(timeIntervalSince1970: 1_800_000_000))
    }
}

extension RunSpec {
    /// A spec for tests that use no volume.
    static func plain(
        command: CommandForm, resume: CommandForm? = nil, env: [String: String] = [:]
    ) throws -> RunSpec {
        guard let id = RunID("train") else { throw Problem("no run") }
        var spec = RunSpec(
            run: id, project: "project", command: command, volume: "/volume", launch: LaunchOrder(id: "L1"))
        spec.resume = resume
        spec.env = env
        return spec
    }
}
