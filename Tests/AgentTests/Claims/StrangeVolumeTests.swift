import Foundation
import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// A volume on which other programs left damaged and odd entries. Each concerns that entry alone.
@Suite struct StrangeVolumeTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    private func put(_ text: String, at path: String) throws { try File.write(Array(text.utf8), over: path) }

    // MARK: - Claims

    @Test("a damaged claim of a later attempt does not end this one, and a whole one does")
    func superseded() throws {
        try run.attempt(1)
        try put("garbage", at: run.folders.claimPath(2))
        mkfifo(run.folders.claimPath(3), 0o600)
        try put(try JSON.text(try run.attempt(1)), at: run.folders.claimPath(4))
        #expect(try !run.folders.isSuperseded(1), "the last one says that it is claim 1")
        #expect(try run.folders.usableClaims().map(\.number) == [1])
        try run.attempt(5)
        #expect(try run.folders.isSuperseded(1))
        #expect(try run.folders.usableClaims().map(\.number) == [1, 5])
    }

    @Test(
        "a file that only resembles a claim is none",
        arguments: ["x.claim", "1.claim", "0000.claim", "-001.claim", "9223372036854775807.claim", "0001.claim.x"])
    func names(_ name: String) throws {
        try put("{}", at: "\(run.folders.attempts)/\(name)")
        #expect(try run.folders.claimNumbers() == [])
        #expect(try run.folders.claims() == [])
    }

    @Test("the next attempt waits for a claim that may be half written, and then takes the number after it")
    func halfWritten() async throws {
        try run.attempt(1, state: .ended, outcome: Outcome(.failed))
        try put("{", at: run.folders.claimPath(2))
        var claiming = Claiming(run: run.folders, spec: run.spec(launch: "L2"), pod: "mine", processes: [])
        claiming.timeout = .milliseconds(100)
        let said = Mutex<[String]>([])
        let result = try await within(.seconds(60), "a claim") { [claiming] in
            try await claiming.claim { line in said.withLock { $0.append(line) } }
        }
        guard case .owned(let claim) = result else { throw Problem("not owned: \(result)") }
        #expect(claim.number == 3)
        #expect(said.withLock { $0 } == ["waiting for the claim of attempt 2, which cannot be read"])
    }

    @Test("a damaged record of an earlier attempt does not keep the next one from its start")
    func damagedRecord() async throws {
        try run.attempt(1, pod: "mine")
        try put("{\"state\": 9e99}", at: run.folders.recordPath(1))
        let claiming = Claiming(run: run.folders, spec: run.spec(), pod: "mine", processes: [])
        let result = try await within(.seconds(60), "a claim") { try await claiming.claim { _ in } }
        guard case .owned(let claim) = result else { throw Problem("not owned: \(result)") }
        #expect(claim.number == 2)
    }

    @Test("a link in the place of one of the agent's folders is moved away and not followed")
    func linkedFolders() async throws {
        let victim = try TemporaryFolder("victim")
        for folder in [run.folders.receipts, run.folders.torn, run.folders.kept, run.folders.pruned] {
            symlink(victim.path, folder)
        }
        let claiming = Claiming(run: run.folders, spec: run.spec(), pod: "mine", processes: [])
        _ = try await within(.seconds(60), "a claim") { try await claiming.claim { _ in } }
        for folder in [run.folders.receipts, run.folders.torn, run.folders.kept, run.folders.pruned] {
            #expect(File.status(folder)?.isLink != true)
        }
        #expect(try File.list(run.folders.path).filter { $0.contains(".lost-") }.count == 4)
        #expect(try File.list(victim.path) == [])
    }

    @Test("the log is not written through a link or a pipe that has the name of its segment")
    func linkedSegment() async throws {
        let victim = "\(run.volume.root)/victim"
        try put("mine", at: victim)
        for (number, name) in [(1, run.folders.liveSegmentPath(from: 0, attempt: 1)), (2, "pipe")] {
            if number == 1 {
                symlink(victim, name)
            } else {
                mkfifo(run.folders.liveSegmentPath(from: 0, attempt: 2), 0o600)
            }
            let segment = try LiveSegment(from: 0, attempt: number, in: run.folders)
            #expect(write(segment.descriptor, [1], 1) == 1)
            #expect(File.status(run.folders.liveSegmentPath(from: 0, attempt: number))?.size == 1)
        }
        #expect(try File.read(victim).text == "mine")
    }

    // MARK: - Receipts

    @Test(
        "a receipt proves nothing if its name leads elsewhere or is another's, and a pipe in its place holds nothing up"
    )
    func receipts() async throws {
        try run.checkpoint("checkpoint-1")
        let whole = try run.prove("checkpoint-1")
        for name in ["../../victim", "/etc/passwd", "checkpoint-1/../x", "checkpoint-2"] {
            var strange = whole
            strange.name = name
            try put(try JSON.text(strange), at: "\(run.folders.receipts)/strange-\(UUID().uuidString).json")
        }
        var leading = whole
        leading.files[0].name = "../../../victim"
        leading.name = "checkpoint-3"
        try put(try JSON.text(leading), at: run.folders.receiptPath(of: "checkpoint-3"))
        mkfifo("\(run.folders.receipts)/pipe.json", 0o600)
        let names = try await within(.seconds(60), "the receipts") { [run] in
            try await DedicatedThread.run { try run.folders.allReceipts().map(\.name) }
        }
        #expect(names == ["checkpoint-1"])
    }

    // MARK: - Packs

    @Test("a pack with a path that is too long is refused")
    func packs() throws {
        for path in [String(repeating: "a", count: 4097), String(repeating: "a/", count: 2048) + "b"] {
            var bytes: [UInt8] = []
            var writer = TarWriter { bytes += Array($0) }
            try writer.begin(TarEntry(path, .folder))
            try writer.finish()
            var rest = bytes[...]
            var reader = TarReader { buffer in
                let piece = rest.prefix(buffer.count)
                buffer.copyBytes(from: piece)
                rest = rest.dropFirst(piece.count)
                return piece.count
            }
            #expect(throws: Problem.self) { try reader.next() }
        }
    }
}
