import Foundation
import Shared
import Testing

/// A run's files on a volume, written as its agents would write them.
struct RunFixture: Sendable {
    let id: RunID
    let folder: RunFolder

    /// The time of each claim: 2027-01-15 08:00:00 UTC.
    static let began = Date(timeIntervalSince1970: 1_800_000_000)

    init(_ name: String, on volume: Volume) throws {
        id = try #require(RunID(name))
        folder = volume.run(id)
        try File.makeFolders(folder.attempts)
        try File.makeFolders(folder.logs)
    }

    /// Writes the claim of attempt `number` by pod `pod`.
    @discardableResult
    func claim(
        _ number: Int = 1, pod: String = "pod-1", launch: String = "launch-1", logStart: Int = 0,
        process: ProcessIdentity? = nil, address: String? = nil
    ) throws -> Claim {
        let claim = Claim(
            number: number, pod: pod, launch: launch, lineage: "launch-1", logStart: logStart, stream: "s\(number)",
            processes: process.map { [$0] } ?? [], claimed: Self.began, address: address)
        try File.replace(folder.claimPath(number), with: try JSON.encode(claim))
        return claim
    }

    /// Writes the record of a claimed attempt that trains, or as `change` makes it.
    @discardableResult
    func record(
        _ claim: Claim, spec: String = "spec", _ change: (inout AttemptRecord) -> Void = { _ in }
    ) throws -> AttemptRecord {
        var record = AttemptRecord(claim: claim, run: id, spec: spec)
        record.enter(.training, at: Self.began + 1)
        change(&record)
        try File.replace(folder.recordPath(claim.number), with: try JSON.encode(record))
        return record
    }

    /// Writes the record of an attempt that ended `seconds` after its claim.
    @discardableResult
    func end(
        _ claim: Claim, _ outcome: Outcome, spec: String = "spec", after seconds: Double = 61.5
    ) throws -> AttemptRecord {
        try record(claim, spec: spec) {
            $0.outcome = outcome
            $0.enter(.ended, at: Self.began + seconds)
        }
    }

    func log(_ bytes: some Sequence<UInt8>, from offset: Int = 0, attempt: Int = 1) throws {
        try File.replace(folder.liveSegmentPath(from: offset, attempt: attempt), with: Array(bytes))
    }

    func log(_ text: String, from offset: Int = 0, attempt: Int = 1) throws {
        try log(text.utf8, from: offset, attempt: attempt)
    }

    func spec(_ spec: RunSpec) throws { try File.replace(folder.specFile, with: try JSON.encode(spec)) }
}

extension Outcome {
    static let finished = Outcome(.finished, exit: .code(0))
}
