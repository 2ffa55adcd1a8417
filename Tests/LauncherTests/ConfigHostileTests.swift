import Foundation
import Testing

@testable import Launcher

/// Configs that no person writes. The launcher refuses them fast and never crashes on them.
@Suite struct ConfigHostileTests {
    private static let head = "run: a\ncommand: x\n"

    @Test(
        "a control character in a config is refused with its place",
        arguments: [
            (Array("run: a\0b".utf8), "config.yaml:1:7: a character that text cannot hold, U+0000"),
            (Array("run: a\r\n\u{1b}[0m".utf8), "config.yaml:2:1: a character that text cannot hold, U+001B"),
            (Array("run: é\u{85}\u{7f}".utf8), "config.yaml:1:8: a character that text cannot hold, U+007F"),
        ])
    func characters(yaml: [UInt8], expected: String) {
        #expect(
            Config.error(in: yaml)
                == "\(expected)\nhint: remove it, or write it with an escape in double quotes")
    }

    private static let notUTF8: [(yaml: [UInt8], place: String, offset: Int)] = [
        (Array("run: é".utf8) + [0xff], "1:7", 7),
        (Array("run: a\n".utf8) + [0xc3], "2:1", 7),
        ([0xff, 0xfe, 0x72, 0x00], "1:1", 0),
        (Array("run: a\n".utf8) + [0xed, 0xa0, 0x80], "2:1", 7),  // a surrogate
    ]

    @Test("bytes of a config that are not UTF-8 are refused with their place", arguments: notUTF8)
    func encodings(yaml: [UInt8], place: String, offset: Int) {
        let expected = "config.yaml:\(place): not UTF-8: the byte at offset \(offset)\nhint: save the file as UTF-8"
        #expect(Config.error(in: yaml) == expected)
    }

    /// Each line expands to nine times the line before.
    private static let bomb: String = {
        var lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
        for (inner, name) in zip("abcdefghijklmno", "bcdefghijklmnop") {
            let aliases = [String](repeating: "*\(inner)", count: 9).joined(separator: ", ")
            lines.append("\(name): &\(name) [\(aliases)]")
        }
        return lines.joined(separator: "\n") + "\n"
    }()

    /// Yams hashes keys: it would take minutes for a bomb as a key, so the launcher parses a copy without aliases.
    @Test(
        "a config whose aliases expand to billions of nodes is refused within half a second",
        arguments: [bomb, bomb + "? *p\n: x\n", bomb + "<<: *p\n"])
    func aliasBomb(yaml: String) {
        let time = ContinuousClock().measure {
            #expect(Config.error(in: yaml.utf8)?.hasPrefix("config.yaml:1:4: anchors and aliases") == true)
        }
        #expect(time < .milliseconds(500))
    }

    @Test(
        "a config of any kind of deep nesting is refused within half a second",
        arguments: ["[", "{", "- ", "? ", "{a: ", "[[{x: ", "!a [", "&a ["])
    func deepNesting(opening: String) {
        for count in [10_000, 100_000 / opening.count] {
            let time = ContinuousClock().measure {
                let error = Config.error(in: (Self.head + "x:\n " + String(repeating: opening, count: count)).utf8)
                #expect(error?.hasPrefix("config.yaml:") == true)
            }
            #expect(time < .milliseconds(500), "\(count)")
        }
    }

    /// libyaml stops at a depth of 1000, which fits a stack much smaller than a main thread's.
    @Test("a config nested 990 levels deep is parsed on a stack of 2 MB")
    func smallStack() async {
        let depth = 990
        let yaml = Self.head + "x: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let error = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: Config.error(in: yaml.utf8)) }
            thread.stackSize = 2 << 20
            thread.start()
        }
        #expect(error?.hasPrefix("config.yaml:3:1: unknown key \"x\"") == true)
    }

    @Test("a config nested 10000 levels deep is refused as nested too deeply")
    func nestingError() {
        let error = Config.error(in: ("x: " + String(repeating: "[", count: 10_000)).utf8)
        #expect(error?.hasSuffix("nested too deeply") == true)
    }

    @Test("a config of 5000 keys is read within two seconds")
    func manyKeys() {
        let many = (0..<5_000).map { "K\($0): 1" }
        let time = ContinuousClock().measure {
            #expect(
                Config.error(in: (Self.head + many.joined(separator: "\n")).utf8)?.hasPrefix(
                    "config.yaml:3:1: unknown key \"K0\"") == true)
            #expect(Config.error(in: (Self.head + "env: {\(many.joined(separator: ", "))}").utf8) == nil)
        }
        #expect(time < .seconds(2))
    }

    @Test("a config error cuts long words of the config short")
    func longWords() {
        let word = String(repeating: "x", count: 10_000)
        #expect(Config.error(in: (Self.head + "provider: \(word)").utf8).map { $0.count < 150 } == true)
        #expect(Config.error(in: (Self.head + "\(word): 1").utf8).map { $0.count < 500 } == true)
    }

    @Test("the launcher reads each random mutation of a config within 100 ms and never crashes")
    func mutations() {
        let valid = Array(
            """
            run: my-run # a comment
            command: |
              python train.py {resume} "*.py" ${X} && echo 'é'
            resume: "--resume {checkpoint}"
            workdir: src
            code: {path: .}
            dependencies:
              requirements: [requirements.txt]
            checkpoints: {path: out, pattern: 'checkpoint-*'}
            env:
              A: 1
              B: >-
                folded
                text
            resources: {spot: false, volume: {path: ~/v}}

            """.utf8)
        #expect(Config.error(in: valid) == nil)
        var random = SeededGenerator(state: 1)
        let interesting = Array("&*!|>{}[],:#'\"%@`-? \t\n\r\\$~<=0a\u{0}".utf8) + [0x80, 0xff, 0xc3]
        for _ in 0..<1_500 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.removeSubrange(place...)
                case 1: bytes[place] = interesting.randomElement(using: &random) ?? 0
                case 2: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: place)
                default:
                    bytes.insert(contentsOf: bytes[place...].prefix(20), at: Int.random(in: 0...place, using: &random))
                }
                if bytes.isEmpty { bytes = [0x0a] }
            }
            // The faster of two runs counts, as other processes may take the processor during one.
            let time = min(Self.time(bytes), Self.time(bytes))
            #expect(time < .milliseconds(100), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private static func time(_ bytes: [UInt8]) -> Duration {
        ContinuousClock().measure { _ = Config.error(in: bytes) }
    }

    /// SplitMix64 with a fixed seed: every test run makes the same mutations.
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
