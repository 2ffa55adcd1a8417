import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct TerminalLinesTests {
    /// Returns all that comes out for `text`, with the open line at the end.
    private static func all(_ text: String) -> String {
        var lines = TerminalLines()
        return (lines.feed(Array(text.utf8)) + lines.end()).text
    }

    @Test(
        "terminal output is reduced to the text that a terminal shows in the end",
        arguments: [
            ("", ""), ("a\nb\n", "a\nb\n"), ("a\nb", "a\nb"), ("\n\n", "\n\n"), ("a\tb\u{7}\0\n", "a\tb\u{7}\0\n"),
            // Overwritten.
            (" 1%\r 2%\r 3%\n", " 3%\n"), ("\r 1%\r 2%", " 2%"), ("12345\rab\n", "ab345\n"), ("dos\r\n\r\n", "dos\n\n"),
            ("1/9\u{8}\u{8}\u{8}2/9\n", "2/9\n"), ("long line\r         \rnext\n", "next\n"), ("gone\r    \r\n", ""),
            ("gone\r    \r", ""), ("é█x\rü\n", "ü█x\n"), ("a b \rx\n", "x b\n"),
            // Erased.
            ("12345\r\u{1b}[Kab\n", "ab\n"), ("12345\r\u{1b}[2Kab\n", "ab\n"), ("12345\u{1b}[2Kab\n", "     ab\n"),
            ("12345\r12\u{1b}[0K\n", "12\n"),
            // Colours stay with their text.
            ("\u{1b}[31mred\u{1b}[0m\n", "\u{1b}[31mred\u{1b}[0m\n"),
            ("\u{1b}[31m1%\u{1b}[0m\r\u{1b}[32m2%\u{1b}[0m\n", "\u{1b}[32m2%\u{1b}[0m\u{1b}[0m\n"),
            ("\u{1b}[31m1%\r2%\n", "\u{1b}[31m2%\n"),
            ("a\u{1b}[1m\n", "a\u{1b}[1m\n"), ("a\u{1b}", "a\u{1b}"), ("a\u{1b}[3\nb", "a\u{1b}[3\nb"),
            // Nested bars as tqdm prints them, and lines that rich repaints.
            ("\rout 1\n\rin 1\u{1b}[A\n\rin 2\u{1b}[A\rout 2\n\rin 3\u{1b}[A\n\n", "out 1\nout 2\nin 3\n"),
            ("\rout 1\n\rin 1\u{1b}[A\n\r    \u{1b}[A\rout 2\ndone\n", "out 1\nout 2\ndone\n"),
            ("a 1\nb 1\r\u{1b}[2K\u{1b}[1A\u{1b}[2Ka 2\nb 2\r\u{1b}[2K\u{1b}[1A\u{1b}[2Ka 3\nb 3\n", "a 1\na 3\nb 3\n"),
        ])
    func finalText(text: String, expected: String) {
        #expect(Self.all(text) == expected, "\(Self.all(text).debugDescription)")
    }

    @Test("a line of terminal output is passed on as soon as it is finished")
    func finishedLine() {
        var lines = TerminalLines()
        #expect(lines.feed(Array("a\nb".utf8)).text == "a\n")
        #expect(lines.feed(Array("c\r".utf8)).text == "")
        #expect(lines.feed(Array("\n".utf8)).text == "bc\n")
    }

    @Test("a snapshot of terminal output shows the unfinished line only if it changed")
    func snapshot() {
        var lines = TerminalLines()
        #expect(lines.snapshot() == [])
        _ = lines.feed(Array("\r 1%\r 2%".utf8))
        #expect(lines.snapshot().text == " 2%\n")
        #expect(lines.snapshot() == [])
        #expect(lines.feed(Array("\r 2%".utf8)) == [])
        #expect(lines.snapshot() == [], "it is the same as before")
        #expect(lines.feed(Array("\r 3%\n".utf8)).text == " 3%\n")
        _ = lines.feed(Array("end".utf8))
        #expect(lines.snapshot().text == "end\n")
        #expect(lines.feed(Array("\n".utf8)) == [], "it is there already")
        #expect(lines.end() == [])
    }

    @Test("a progress bar of 20000 states takes the memory of its last state")
    func longBar() {
        var lines = TerminalLines()
        for step in 0..<20_000 { #expect(lines.feed(Array("\r\(step) of 20000 |####    |".utf8)) == []) }
        #expect(lines.open.text == "19999 of 20000 |####    |")
    }

    /// Such a line is no progress bar, and memory must not grow with it.
    @Test("terminal output of 500 kB without a newline is passed on before the newline comes")
    func endlessLine() {
        var lines = TerminalLines()
        var bytes: [UInt8] = []
        for _ in 0..<50 { bytes += lines.feed([UInt8](repeating: 0x78, count: 10_000)) }
        #expect(bytes.count > 400_000)
        bytes += lines.feed([0x0a])
        #expect(bytes == [UInt8](repeating: 0x78, count: 500_000) + [0x0a])
    }

    @Test(
        "a terminal that got only the unfinished lines shows later output correctly",
        arguments: [
            "abc", "abc\r", "abc\rd", "a\n\rb\u{1b}[A", "a\nbb\r\u{1b}[Acc", "\u{1b}[31mab\u{8}\u{8}", "a\u{1b}[",
        ])
    func resume(text: String) {
        for more in ["XY\n", "\rXY\n", "\nXY\n", "mXY\n"] {
            var whole = TerminalLines()
            _ = whole.feed(Array(text.utf8))
            var resumed = TerminalLines()
            let before = resumed.feed(whole.open).text
            #expect(before == "" || before.hasSuffix("\n"))
            let expected = whole.feed(Array(more.utf8)) + whole.end()
            let found = Array(before.utf8) + resumed.feed(Array(more.utf8)) + resumed.end()
            #expect(Self.visible(found).hasSuffix(Self.visible(expected).suffix(3)))
        }
    }

    private static func visible(_ bytes: [UInt8]) -> String { bytes.text.replacing("\u{1b}[31m", with: "") }

    // MARK: - Random streams

    /// Random control sequences, words and invalid bytes. `moving` adds sequences that move the cursor.
    private static func stream(_ dice: inout Dice, moving: Bool) -> [UInt8] {
        let moves = ["\r", "\u{8}", "\u{1b}[K", "\u{1b}[2K", "\u{1b}[A", "\u{1b}[2A", "\r\n"]
        let others = ["\n", "word", "█é", "\u{1b}[31m", "\u{1b}[0m", "\u{1b}", "\u{1b}[", " ", "\t", "100%"]
        var bytes: [UInt8] = []
        for _ in 0..<dice.roll(0...300) {
            let pieces = moving ? moves + others : others
            switch dice.roll(0...5) {
            case 0: bytes.append(UInt8.random(in: moving ? 0...255 : 0x80...0xff, using: &dice))
            default: bytes += Array((pieces.randomElement(using: &dice) ?? "").utf8)
            }
        }
        return bytes
    }

    @Test("the lines of terminal output do not depend on the pieces in which it comes", arguments: 1...200)
    func pieces(seed: UInt64) {
        var dice = Dice(seed: seed)
        let stream = Self.stream(&dice, moving: true)
        // Snapshots at the same places of the stream.
        let places = Set((0..<dice.roll(0...4)).map { _ in dice.roll(0...stream.count) })
        let results = [1, 3, 17, 1000].map { size in
            var lines = TerminalLines()
            var result: [UInt8] = []
            var next = 0
            while next < stream.count {
                if places.contains(next) { result += lines.snapshot() }
                let limit = min(stream.count, next + dice.roll(1...size))
                let end = (next + 1...limit).first { places.contains($0) } ?? limit
                result += lines.feed(Array(stream[next..<end]))
                next = end
            }
            return result + lines.end()
        }
        #expect(Set(results).count == 1, "\(results.map { $0.text.debugDescription })")
    }

    @Test("terminal output without cursor movements passes unchanged", arguments: 1...200)
    func unchanged(seed: UInt64) {
        var dice = Dice(seed: seed)
        let stream = Self.stream(&dice, moving: false)
        guard !stream.text.contains("\u{1b}[A") else { return }
        var lines = TerminalLines()
        #expect(lines.feed(stream) + lines.end() == stream, "\(stream.text.debugDescription)")
    }

    @Test("every finished line of terminal output is passed on", arguments: 1...50)
    func newlines(seed: UInt64) {
        var dice = Dice(seed: seed)
        let stream = Self.stream(&dice, moving: false)
        var lines = TerminalLines()
        let out = lines.feed(stream)
        #expect(out.lastIndex(of: 0x0a) == stream.lastIndex(of: 0x0a))
    }
}
