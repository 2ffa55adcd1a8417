import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Checkpoints as `launch checkpoints` and `launch status` show them.
@Suite struct CheckpointListTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
        try run.record(try run.claim(process: .dead()))
    }

    private var out: String { run.folder.work + "/out" }

    private func spec() throws {
        var spec = RunSpec(
            run: run.id, project: "p", command: .exec(["true"]), volume: Volume(of: run.folder).root,
            launch: LaunchOrder(id: "launch-1"))
        spec.checkpoints = CheckpointRule(path: "out", names: ["final"])
        try run.spec(spec)
    }

    /// Writes a checkpoint of one file, and its receipt unless `lineage` is nil.
    private func save(_ step: Int, _ text: String, lineage: String? = "launch-1", took: Double? = nil) throws {
        try save("checkpoint-\(step)", step: step, text, lineage: lineage, took: took)
    }

    private func save(
        _ name: String, step: Int?, _ text: String, lineage: String? = "launch-1", took: Double? = nil
    ) throws {
        let path = "\(out)/\(name)"
        try File.makeFolders(path)
        try File.write(Array(text.utf8), over: "\(path)/a \\ b")
        guard let lineage else { return }
        let status = try #require(File.status("\(path)/a \\ b"))
        let file = Receipt.SavedFile(
            name: "a \\ b", size: status.size, modified: status.modified, sha256: SHA256Digest(of: text).description)
        let receipt = Receipt(
            of: CheckpointReference(step: step, path: path), attempt: 1, lineage: lineage, evidence: .laterStep,
            proven: RunFixture.began, boot: "b", files: [file],
            save: took.map { Receipt.SeenSave(stepAtSave: 70, seconds: $0) })
        try File.makeFolders(run.folder.receipts)
        try File.replace(run.folder.receiptPath(of: receipt.name), with: try JSON.encode(receipt))
    }

    @Test("launch checkpoints lists size, age, save time, state, lineage and path of each checkpoint")
    func table() async throws {
        try spec()
        try save(9, "1234567", took: 75.2)
        try save(20, "x", lineage: nil)
        try save(100, "new")
        try File.write(Array("changed".utf8), over: "\(out)/checkpoint-100/a \\ b")
        try save("final", step: nil, "all", took: 0.5)
        let list = try await CheckpointList(of: try await test.view(run), at: Date())
        let text = list.text.replacing(run.folder.path, with: "RUN")
        #expect(text.contains(" s  1 min 15 s  proven      ") && text.contains(" s  0.5 s       proven      "))
        let words = text.split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.trimmed }.filter { !$0.isEmpty && !$0.hasSuffix(" s") }
        }
        #expect(
            words == [
                ["STEP", "SIZE", "AGE", "SAVED IN", "STATE", "LINEAGE", "PATH"],
                ["9", "7 B", "proven", "launch-1", "RUN/work/out/checkpoint-9"],
                ["20", "1 B", "not proven", "RUN/work/out/checkpoint-20"],
                [
                    "100", "7 B", "a \\ b is longer than it was: 7 bytes, not 3", "launch-1",
                    "RUN/work/out/checkpoint-100",
                ],
                ["~70", "3 B", "proven", "launch-1", "RUN/work/out/final"],
            ])
    }

    @Test("launch checkpoints --json prints each checkpoint and its receipt")
    func json() async throws {
        try spec()
        try save(9, "1234567", took: 75.2)
        try save(20, "x", lineage: nil)
        #expect(try await test.launch("checkpoints", run.id.text, "--json") == 0)
        #expect(test.errors == "")
        let list = try JSONSerialization.jsonObject(with: Data(test.recording.bytes)) as? [[String: Any]]
        #expect(list?.map { $0["step"] as? Int } == [9, 20])
        #expect(list?.map { $0["isProven"] as? Bool } == [true, false])
        #expect(list?.map { $0["saveSeconds"] as? Double } == [75.2, nil])
        #expect(list?.map { $0["lineage"] as? String } == ["launch-1", nil])
        #expect(list?.allSatisfy { ($0["age"] as? Double ?? -1) >= 0 } == true)
        #expect(list?.map { ($0["receipt"] as? [String: Any])?["evidence"] as? String } == ["laterStep", nil])
    }

    /// The file's name holds a backslash, which sha256sum escapes.
    @Test("launch checkpoints --sums prints the proven files as sha256sum reads them")
    func sums() async throws {
        try spec()
        try save(9, "1234567")
        try save(20, "x", lineage: nil)
        #expect(try await test.launch("checkpoints", run.id.text, "--sums") == 0)
        let list = "\(test.home)/sums"
        try File.write(test.recording.bytes, over: list)
        #expect(test.output.split(separator: "\n").count == 1)
        #expect(try Command.run(["sha256sum", "--strict", "-c", list]).code == 0)
        try File.write(Array("7654321".utf8), over: "\(out)/checkpoint-9/a \\ b")
        #expect(try Command.run(["sha256sum", "--strict", "-c", list]).code == 1)
    }

    @Test("launch checkpoints prints to standard error how often to save")
    func advice() async throws {
        try spec()
        try save(9, "1234567", took: 30)
        #expect(try await test.launch("checkpoints", run.id.text) == 0)
        // The pod is gone and gave no sign after the training had begun.
        #expect(test.errors == "how often to save cannot be told: nothing is known of how long it trained\n")
        // 60.5 s of training: √(2 × 30 × 60.5) = 60.2 s
        try run.end(try run.claim(), Outcome(.interrupted))
        #expect(try await test.launch("checkpoints", run.id.text) == 0)
        #expect(
            test.errors.hasSuffix(
                "save every 1 min 00 s = √(2 × 30.0 s for a save × 1 min 00 s between interruptions); "
                    + "1 interruption in 1 min 00 s of training\n"))
        #expect(test.output.hasPrefix("STEP"))
    }

    @Test("a receipt that lacks the time and step of its save can be read")
    func receiptWithoutTimes() throws {
        let text = """
            {"attempt":1,"boot":"b","evidence":"exit","files":[],"lineage":"l","name":"checkpoint-7","path":"/c",
             "proven":"2027-01-15T08:00:00.000Z","step":7}
            """
        let receipt = try JSON.decode(Receipt.self, from: Array(text.utf8))
        #expect(receipt.step == 7 && receipt.saveSeconds == nil && receipt.stepAtSave == nil)
    }

    @Test("launch checkpoints prints nothing if there are no checkpoints")
    func none() async throws {
        #expect(try await test.launch("checkpoints", run.id.text) == 0)
        try spec()
        #expect(try await test.launch("checkpoints", run.id.text) == 0)
        #expect(test.output == "" && test.errors == "")
    }

    @Test("launch status shows the newest proven checkpoint of the run's lineage")
    func newestProven() async throws {
        try spec()
        #expect(try RunReport(of: try await test.view(run)).proven == nil)
        try save(9, "1")
        try save(20, "2")
        try save(30, "3", lineage: "an older one")
        try save(40, "4", lineage: nil)
        let report = try RunReport(of: try await test.view(run))
        #expect(report.proven?.step == 20)
        #expect(report.proven?.path == "\(out)/checkpoint-20")
        #expect(report.text.contains("\nproven   step 20\n"))
        try save("final", step: nil, "5")
        #expect(try RunReport(of: try await test.view(run)).text.contains("\nproven   final\n"))
    }
}
