import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Files that were made to cost memory or to crash whoever believes them.
@Suite(.timeLimit(.minutes(5))) struct HostileFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("hostile") }

    /// Whatever is in a file, it is whole or not; each mutation is the same in each run.
    @Test func mutations() throws {
        var generator = SeededGenerator(seed: 7)
        var found = 0
        var tried = 0
        let growth = try MemoryPeak.growth {
            for file in try SavedCheckpoint.files() {
                let content = try SavedCheckpoint.content(file)
                let path = "\(folder.path)/\(file.lastComponent)"
                for _ in 0..<400 {
                    try File.write(Self.mutated(content, &generator), over: path)
                    let proof = try CheckpointProof.examine(path)
                    #expect(proof.files == 1)
                    tried += 1
                    if !proof.isWhole { found += 1 }
                }
                unlink(path)
            }
        }
        print("fuzz: \(found) of \(tried) mutations found, \(growth >> 10) kB")
        #expect(found > tried / 4)
        #expect(growth <= 32 << 20, "\(growth) bytes")
    }

    /// A few bytes changed, cut, added or copied elsewhere, most often near the ends, where the headers are.
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

    private enum Kind: String, CaseIterable {
        case longSafetensorsHeader, manyTensors, deepJSON, longText, longNumber, manyShards, manyMembers, manyCounted
        case longPickleText, pickleLine, npyHeader, longComment
    }

    /// Each claims much, or has much of something.
    @Test(arguments: Kind.allCases) private func itCostsLittle(_ kind: Kind) throws {
        let path = try make(kind)
        let clock = ContinuousClock()
        var isWhole = true
        var taken = Duration.zero
        let growth = try MemoryPeak.growth {
            taken = try clock.measure { isWhole = try CheckpointProof.examine(path).isWhole }
        }
        print("hostile: \(kind.rawValue) \(File.status(path)?.size ?? 0) bytes, \(growth >> 10) kB, \(taken)")
        #expect(growth <= 24 << 20, "\(growth) bytes")
        #expect(isWhole == [.longText, .longNumber, .manyMembers].contains(kind))
    }

    private func make(_ kind: Kind) throws -> String {
        let size = 24 << 20
        func file(_ name: String, _ bytes: [UInt8], padded: Int? = nil) throws -> String {
            let path = "\(folder.path)/\(name)"
            try File.write(bytes, over: path)
            if let padded { truncate(path, padded) }
            return path
        }
        func number(_ value: Int, _ width: Int) -> [UInt8] {
            (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let eights = [UInt8](repeating: 0x38, count: size)
        switch kind {
        case .longSafetensorsHeader:
            return try file("a.safetensors", number(99_999_999, 8) + [0x7b], padded: 200_000_000)
        case .manyTensors:
            var header = "{"
            for index in 0..<300_000 {
                header +=
                    #"\#(index == 0 ? "" : ",")"":{"dtype":"U8","shape":[1],"data_offsets":[\#(2 * index),\#(2 * index + 1)]}"#
            }
            header += "}"
            return try file("a.safetensors", number(header.utf8.count, 8) + Array(header.utf8))
        case .deepJSON: return try file("a.json", [UInt8](repeating: 0x5b, count: size))
        case .longText: return try file("a.json", [0x22] + eights + [0x22])
        case .longNumber: return try file("a.json", eights)
        case .manyShards:
            let names = (0..<20_000).map { #""\#($0)":"\#(String(repeating: "x", count: 240))\#($0)""# }
            return try file("a.bin.index.json", Array(#"{"weight_map":{\#(names.joined(separator: ","))}}"#.utf8))
        case .manyMembers:
            // Half a million entries of the directory lead to one member.
            let local: [UInt8] = ZipFormat.mark + [UInt8](repeating: 0, count: 26)
            let entry: [UInt8] = [0x50, 0x4b, 1, 2] + [UInt8](repeating: 0, count: 42)
            let count = 500_000
            let wide: [UInt8] =
                [0x50, 0x4b, 6, 6] + number(44, 8) + number(0, 12) + number(count, 8) + number(count, 8)
                + number(46 * count, 8) + number(30, 8)
            let end: [UInt8] =
                [0x50, 0x4b, 6, 7] + number(0, 4) + number(30 + 46 * count, 8) + number(1, 4) + [0x50, 0x4b, 5, 6]
                + [UInt8](repeating: 0, count: 18)
            return try file("a.npz", local + Array([[UInt8]](repeating: entry, count: count).joined()) + wide + end)
        case .manyCounted:
            let wide: [UInt8] = [0x50, 0x4b, 6, 6] + [UInt8](repeating: 0xff, count: 52)
            let end: [UInt8] =
                [0x50, 0x4b, 6, 7] + number(0, 4) + number(30, 8) + number(1, 4) + [0x50, 0x4b, 5, 6]
                + [UInt8](repeating: 0, count: 18)
            return try file("a.npz", ZipFormat.mark + [UInt8](repeating: 0, count: 26) + wide + end)
        case .longPickleText:
            return try file(".metadata", [0x80, 4, 0x8d] + [UInt8](repeating: 0xff, count: 8), padded: size)
        case .pickleLine: return try file(".metadata", [0x80, 4, UInt8(ascii: "I")] + eights)
        case .npyHeader:
            return try file("a.npy", [0x93] + Array("NUMPY".utf8) + [2, 0, 0xff, 0xff, 0xff, 0xff], padded: 1 << 20)
        case .longComment:
            let ends = [[UInt8]](repeating: [0x50, 0x4b, 5, 6], count: 30_000).joined()
            return try file("a.npz", ZipFormat.mark + Array(ends))
        }
    }
}
