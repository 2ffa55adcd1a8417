import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

/// Random damage to the files of a run. A crash of this process is the failure that it looks for.
@Suite(.timeLimit(.minutes(2))) struct VolumeFuzzTests {
    private static let numbers = [
        "2305843009213693951", "-2305843009213693951", "9223372036854775807", "1e18", "1e400", "-1", "0", "0.5", "null",
    ]

    /// Replaces a number, or changes, cuts or adds some bytes.
    private func damaged(_ content: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = content
        let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
        if Bool.random(using: &generator), let place = digits.randomElement(using: &generator) {
            let end = bytes[place...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.endIndex
            bytes.replaceSubrange(place..<end, with: Array((Self.numbers.randomElement(using: &generator) ?? "").utf8))
            return bytes
        }
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[place] = .random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + 20))
            default: bytes.insert(contentsOf: bytes.prefix(20), at: place)
            }
        }
        return bytes
    }

    @Test("random damage to a run's files never ends the agent, and an undamaged claim stays", arguments: [1, 2, 3])
    func volume(seed: Int) throws {
        let run = try TestRun()
        var generator = SeededGenerator(seed: seed)
        try run.attempt(1, state: .ended, outcome: Outcome(.failed, exit: .signal(9), message: "m"))
        try run.checkpoint("checkpoint-1")
        try run.prove("checkpoint-1")
        let claim = try run.attempt(2, state: .training)
        try File.write(
            try JSON.encode(Beat(count: 3, at: Date(), seconds: 7, step: 9)), over: run.folders.beatPath(2))
        let folders = run.folders
        let files = [
            folders.claimPath(1), folders.recordPath(1), folders.recordPath(2), folders.beatPath(2),
            folders.receiptPath(of: "checkpoint-1"),
        ]
        let contents = try files.map { try File.read($0) }
        for _ in 0..<200 {
            for (path, content) in zip(files, contents) {
                try File.write(damaged(content, &generator), over: path)
            }
            #expect(try !folders.isSuperseded(2))
            let claims: [Claim]
            do { claims = try folders.usableClaims() } catch let problem as Problem {
                // Damage may look like another format.
                #expect(problem.sentence.contains("version of launch"))
                continue
            }
            #expect(claims.last == claim)
            _ = try folders.spending(of: claims).cost
            _ = try folders.allReceipts()
            _ = try folders.usableRecord(1).map { (Exit.ofPod($0.outcome), $0.outcome?.words) }
            _ = try Predecessor.attempts(before: claim, of: run.spec(), in: folders)
            _ = try Receipts(of: run.spec(), in: folders, for: claim)?.count()
            _ = RetryRule(policy: RetryPolicy()).verdict(
                on: try Predecessor.attempts(before: claim, of: run.spec(), in: folders), jitter: 1)
        }
    }

    @Test("random bytes in an archive never end its reader", arguments: [4, 5])
    func archives(seed: Int) throws {
        var generator = SeededGenerator(seed: seed)
        var content: [UInt8] = []
        var writer = TarWriter { content += Array($0) }
        try writer.begin(TarEntry("folder", .folder))
        try writer.begin(TarEntry("folder/" + String(repeating: "long", count: 60), .file(size: 3, isExecutable: true)))
        try [1, 2, 3].withUnsafeBytes { try writer.write(UnsafeRawBufferPointer(rebasing: $0[..<3])) }
        try writer.begin(TarEntry("link", .link(target: "folder")))
        try writer.finish()
        for _ in 0..<1000 {
            var rest = damaged(content, &generator)[...]
            var reader = TarReader { buffer in
                let piece = rest.prefix(buffer.count)
                buffer.copyBytes(from: piece)
                rest = rest.dropFirst(piece.count)
                return piece.count
            }
            do {
                while let entry = try reader.next() {
                    #expect(entry.path.isConfinedPath)
                    if entry.size < 1 << 20 { _ = try reader.readAll() }
                }
            } catch is Problem {}
        }
    }
}
