import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Files that would crash a reader that trusts them. `VerifyTests` checks how much memory they take.
@Suite(.timeLimit(.minutes(3))) struct HostileFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("hostile") }

    /// Each change is the same in every run.
    @Test("random changes to a checkpoint file never crash the check, which finds most of them")
    func mutations() throws {
        var generator = SeededGenerator(seed: 7)
        var found = 0
        var tried = 0
        for file in try SavedCheckpoint.files() {
            let content = try SavedCheckpoint.content(file)
            let path = "\(folder.path)/\(file.lastComponent)"
            for _ in 0..<150 {
                try File.write(Self.mutated(content, &generator), over: path)
                let proof = try CheckpointProof.examine(path)
                #expect(proof.files == 1)
                tried += 1
                if !proof.isWhole { found += 1 }
            }
            unlink(path)
        }
        #expect(found > tried / 2, "\(found) of \(tried)")
    }

    /// Changes, cuts, adds or copies a few bytes, most often near the start or the end, where the headers are.
    private static func mutated(_ content: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = content
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let near = Int.random(in: 0..<min(160, bytes.count), using: &generator)
            let place =
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: near
                case 1: bytes.count - 1 - near
                default: Int.random(in: bytes.indices, using: &generator)
                }
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes[place] = [0, 0xff, 0x7f, 0x80, 0x22, 0x5b, 0x7b][place % 7]
            case 2: for index in place..<min(place + 8, bytes.count) { bytes[index] = 0xff }
            case 3: bytes.removeSubrange(place..<min(place + Int.random(in: 1...40, using: &generator), bytes.count))
            case 4: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
            case 5: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            default: bytes.removeLast(min(bytes.count, Int.random(in: 1...20, using: &generator)))
            }
        }
        return bytes
    }

    private static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static let archive = ZipFormat.mark + [UInt8](repeating: 0, count: 26)
    private static let archiveEnd: [UInt8] =
        [0x50, 0x4b, 6, 7] + number(0, 4) + number(30, 8) + number(1, 4) + [0x50, 0x4b, 5, 6]
        + [UInt8](repeating: 0, count: 18)
    private static let most = [UInt8](repeating: 0xff, count: 8)

    /// The first bytes of a file, and its size if the rest is a hole.
    private struct Claim: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let size: Int?
        /// Leaves out the bytes, which are too many to print.
        let testDescription: String
    }

    private static let files: [(String, [UInt8], Int?)] = [
        ("a.safetensors", number(99_999_999, 8) + [0x7b], 200_000_000), ("a.safetensors", most, 100),
        ("a.safetensors", most + [0x7b], 9),
        ("a.json", [UInt8](repeating: 0x5b, count: 1 << 20), 1 << 20),
        ("a.npz", archive + [0x50, 0x4b, 6, 6] + [UInt8](repeating: 0xff, count: 52) + archiveEnd, nil),
        (
            "a.npz",
            archive + [0x50, 0x4b, 6, 6] + number(44, 8) + number(0, 12) + most + most + most + number(30, 8)
                + archiveEnd, nil
        ),
        (
            "a.npz",
            archive + [0x50, 0x4b, 6, 6] + number(44, 8) + number(0, 12) + most + most + number(0, 8) + most
                + archiveEnd, nil
        ),
        ("a.npz", archive + Array([[UInt8]](repeating: [0x50, 0x4b, 5, 6], count: 30_000).joined()), nil),
        (".metadata", [0x80, 4, 0x8d] + most, 1 << 20),
        (".metadata", [0x80, 4, 0x8e] + number(Int.max, 8), 1 << 20),
        (".metadata", [0x80, 4] + Array("X".utf8) + [0xff, 0xff, 0xff, 0xff], 1 << 20),
        ("a.npy", [0x93] + Array("NUMPY".utf8) + [2, 0, 0xff, 0xff, 0xff, 0xff], 1 << 20),
        (
            "a.npy",
            [0x93] + Array("NUMPY".utf8) + [1, 0, 90, 0]
                + Array("{'descr': '<U999999999999999999', 'shape': (1,)}".utf8), 200
        ),
        (
            "a.npy",
            [0x93] + Array("NUMPY".utf8) + [1, 0, 90, 0]
                + Array("{'descr': '<f8', 'shape': (9223372036854775807, 9223372036854775807)}".utf8), 200
        ),
    ]

    private static let claims = files.enumerated().map { number, file in
        Claim(name: file.0, bytes: file.1, size: file.2, testDescription: "\(number): \(file.0)")
    }

    @Test("a checkpoint file with impossible lengths, counts or offsets is not whole", arguments: claims)
    private func impossibleNumbers(_ claim: Claim) throws {
        let path = "\(folder.path)/\(claim.name)"
        try File.write(claim.bytes, over: path)
        if let size = claim.size { truncate(path, size) }
        let proof = try CheckpointProof.examine(path)
        // The size of NumPy's text type is not computed, so that file counts as whole.
        #expect(proof.isWhole == claim.bytes.text.contains("<U9"), "\(proof.findings)")
    }
}
