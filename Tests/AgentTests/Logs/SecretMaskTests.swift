import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct SecretMaskTests {
    private func masked(_ text: String, _ secrets: String..., cutAt cuts: Int...) -> String {
        var mask = SecretMask(secrets)
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        for cut in cuts {
            result += mask.pass(rest.prefix(cut))
            rest = rest.dropFirst(cut)
        }
        result += mask.pass(rest)
        return (result + mask.finish()).text
    }

    @Test("a secret is masked wherever the stream is cut in two", arguments: 0...20)
    func cutAnywhere(cut: Int) {
        #expect(masked("key=hf_12345678;\n", "hf_12345678", cutAt: cut) == "key=***;\n")
    }

    @Test("bytes that may begin a secret are held back until the next bytes decide")
    func heldBack() {
        var mask = SecretMask(["hf_12345678"])
        #expect(mask.pass(Array("a hf_123".utf8)[...]).text == "a ")
        #expect(mask.pass(Array("x".utf8)[...]).text == "hf_123x")
        #expect(mask.pass(Array("hf_1234567".utf8)[...]).text == "")
        #expect(mask.finish().text == "hf_1234567")
    }

    @Test("values of fewer than 8 bytes are not masked")
    func shortValues() {
        #expect(masked("1234567 12345678", "1234567", "12345678") == "1234567 ***")
        #expect(masked("nothing to mask") == "nothing to mask")
    }

    @Test("overlapping secrets become one mask, adjacent ones two")
    func overlapping() {
        #expect(masked("-abcdefghijkl-", "abcdefgh", "efghijkl") == "-***-")
        #expect(masked("-abcdefghabcdefgh-", "abcdefgh") == "-******-")
        #expect(masked("-aaaaaaaaaaaa-", "aaaaaaaa") == "-***-")
        #expect(masked("-abcdefghij-", "abcdefgh", "abcdefghij") == "-***-")
    }

    @Test("a secret inside an unfinished longer one is masked at the end of the stream")
    func shorterAtEnd() {
        #expect(masked("-xxabcdefgh", "abcdefgh", "xxabcdefghij") == "-xx***")
    }

    @Test("a secret of several lines is masked with either kind of line end")
    func severalLines() {
        #expect(masked("<first line\nsecond>\n", "first line\nsecond\n") == "<***>\n")
        #expect(masked("<first line\r\nsecond>\r\n", "first line\nsecond\n") == "<***>\r\n")
    }

    @Test("a secret in a whole text is masked, and a part of one is not")
    func wholeText() {
        #expect(SecretMask(["hf_12345678"]).masking("python --key hf_12345678") == "python --key ***")
        #expect(SecretMask(["hf_12345678"]).masking("python --key hf_1234") == "python --key hf_1234")
    }

    /// The secrets have few letters, so that they overlap, contain each other, and nearly occur.
    @Test("random secrets in random pieces are masked as in one piece")
    func randomPieces() {
        var random = SeededGenerator(seed: 7)
        var withSecrets = 0
        let cases = ProcessEnvironment.all["TORTURE"] == "full" ? 100_000 : 10_000
        for number in 0..<cases {
            let letters = Array("abc".utf8.prefix(.random(in: 1...3, using: &random)))
            let secrets = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                (0..<Int.random(in: 8...12, using: &random)).map { _ in
                    letters[.random(in: letters.indices, using: &random)]
                }
            }
            let text = text(around: secrets, letters, &random)
            var mask = SecretMask(forms: Set(secrets))
            var result: [UInt8] = []
            var rest = text[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...9, using: &random)
                result += mask.pass(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            result += mask.finish()
            let expected = Self.masked(text, secrets)
            if expected != text { withSecrets += 1 }
            guard result == expected else {
                Issue.record(
                    "case \(number): \(secrets.map(\.text)) in \(text.text) gave \(result.text), not \(expected.text)")
                return
            }
        }
        #expect(withSecrets > cases / 2)
    }

    private func text(
        around secrets: [[UInt8]], _ letters: [UInt8], _ random: inout SeededGenerator
    ) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < 60 {
            if Bool.random(using: &random) {
                let secret = secrets[.random(in: secrets.indices, using: &random)]
                text += secret.prefix(.random(in: 0...secret.count, using: &random))
            } else {
                text.append(letters[.random(in: letters.indices, using: &random)])
            }
        }
        return text
    }

    /// The text with all occurrences masked. They are found one by one, and overlapping ones are joined.
    private static func masked(_ text: [UInt8], _ secrets: [[UInt8]]) -> [UInt8] {
        var result: [UInt8] = []
        var end = 0
        for start in text.indices {
            let lengths = secrets.filter { text[start...].starts(with: $0) }.map(\.count)
            if let longest = lengths.max() {
                if start >= end { result += Array("***".utf8) }
                end = max(end, start + longest)
            }
            if start >= end { result.append(text[start]) }
        }
        return result
    }
}
