import Shared
import Testing

@testable import Launcher

@Suite struct OpenLineTests {
    @Test(
        "an unfinished line on a terminal is closed with the colours reset and a newline",
        arguments: [
            ("", ""), ("line\n", ""), ("bar\rba", "\n"), ("\u{1b}[31mred", "\u{1b}[0m\u{1b}[?25h\n"),
            ("\u{1b}[31mred\n", "\u{1b}[0m\u{1b}[?25h"), ("line\n\r", "\n"),
        ])
    func terminal(output: String, closing: String) {
        var line = OpenLine(isTerminal: true)
        line.saw(Array(output.utf8))
        line.saw([])
        #expect(line.close() == closing)
        #expect(line.close() == "", "once")
    }

    @Test("an unfinished line in a file is closed with a newline and no colours")
    func file() {
        var line = OpenLine(isTerminal: false)
        line.saw(Array("\u{1b}[31mred".utf8))
        #expect(line.close() == "\n")
    }

    @Test("terminal colours that earlier output left are reset at the end")
    func earlierColours() {
        var line = OpenLine(isTerminal: true)
        for output in ["\u{1b}[31mred\n", "more\n"] { line.saw(Array(output.utf8)) }
        #expect(line.close() == "\u{1b}[0m\u{1b}[?25h")
    }
}
