import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// The time for each checkpoint, and for each file of one, stays small if there are many.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ManyCheckpointsTests {
    private static let filesOfEach = 7

    /// An agent of a run that has `count` checkpoints with receipts. Its training saves no more.
    private func agent(_ site: Site, checkpoints count: Int) throws -> BareAgent {
        var agent = try BareAgent(
            at: site, command: .shell("echo trains from {resume}; while sleep 0.1; do echo step $((n += 1)); done"))
        agent.spec.resume = .shell("{checkpoint}")
        agent.spec.checkpoints = CheckpointRule(path: "out")
        try File.makeFolders(agent.folder.receipts)
        let boot = try File.read("/proc/sys/kernel/random/boot_id").text.split(separator: "\n")[0]
        let content = Array("{}".utf8)
        let sum = SHA256Digest(of: content).description
        for step in 1...count {
            let path = "\(agent.folder.work)/out/checkpoint-\(step)"
            try File.makeFolders(path)
            let files = try (1...Self.filesOfEach).map { number in
                let name = "state_\(number).json"
                try File.write(content, over: "\(path)/\(name)")
                let status = try #require(File.status("\(path)/\(name)"))
                return Receipt.SavedFile(name: name, size: status.size, modified: status.modified, sha256: sum)
            }
            let receipt = Receipt(
                of: CheckpointReference(step: step, path: path), attempt: 1, lineage: agent.spec.launch.id,
                evidence: .laterStep, proven: Date(), boot: String(boot), files: files)
            try File.write(try JSON.encode(receipt), over: agent.folder.receiptPath(of: receipt.name))
        }
        return agent
    }

    /// The processor time that a process has used, in seconds, proc(5).
    private func processorTime(_ pid: Int32) throws -> Double {
        let text = try File.read("/proc/\(pid)/stat").text
        let fields = text[try #require(text.lastIndex(of: ")"))...].split(separator: " ")
        return try fields[12...13].map { try #require(Double($0)) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test("beside 1000 checkpoints the training starts within 5 s, and the agent takes under 2 % of a core")
    func manyCheckpoints() async throws {
        let count = 1000
        try await Site.with { site in
            let agent = try agent(site, checkpoints: count)
            let begin = ContinuousClock.now
            let run = try agent.start()
            let record = try await eventually("a training; \(run.errors)\(run.text)") {
                try agent.record(1).flatMap { $0.state == .training ? $0 : nil }
            }
            let start = begin.duration(to: .now)
            #expect(start < .seconds(5), "0.3 s on a quiet machine")
            #expect(record.resumedFrom?.step == count)
            #expect(try agent.folder.allReceipts().count == count)

            let serve = try #require(ProcessStat.descendants(of: run.pid).first { $0.parent == run.pid }).pid
            let (time, used) = (ContinuousClock.now, try processorTime(serve))
            // Each 30th scan, one a second, reads all checkpoints.
            try await Task.sleep(for: .seconds(Rounds.areAll ? 62 : 5))
            let load = (try processorTime(serve) - used) / (time.duration(to: .now) / .seconds(1))
            print("checkpoints: beside \(count) the training starts after \(start), and \(load) of a core watches it")
            #expect(load < 0.02)
            run.send(SIGTERM)
            try await run.end()
        }
    }

    @Test("a checkpoint of 10 000 files has its receipt within 60 s of its last write")
    func manyFiles() async throws {
        let count = 10_000
        try await Site.with { site in
            try site.write(
                "train.py",
                """
                import os, time
                os.makedirs("out/checkpoint-1")
                for number in range(\(count)):
                    with open(f"out/checkpoint-1/part-{number}.json", "w") as file: file.write("[1]")
                while True:
                    print("step", int(time.time()), flush=True)
                    time.sleep(0.1)
                """)
            var agent = try BareAgent(at: site, command: .shell("exec python3 \"$SITE/train.py\""))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            let run = try agent.start()
            let receipt = try await eventually("a receipt; \(run.errors)", within: .seconds(60)) {
                try agent.folder.allReceipts().last
            }
            #expect(receipt.files.count == count)
            let saved = Double(receipt.files.map(\.modified).max() ?? 0) / 1e9
            let later = receipt.proven.timeIntervalSince1970 - saved
            print("checkpoints: a receipt of \(count) files \(later) s after the last was written")
            #expect(later < 60, "5 s on a quiet machine; hashing has the lowest priority")
            run.send(SIGTERM)
            try await run.end()
        }
    }
}
