import Shared
import Testing

@testable import Launcher

/// The last lines of a log, and what a terminal shows of them.
@Suite struct LogTailTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
    }

    private func tail() throws -> LogTail { LogTail(log: try LogStream(of: run.folder)) }

    /// Returns the text for a terminal of `lines` lines.
    private func screen(_ lines: Int) throws -> String {
        let screen = try tail().screen(lines: lines)
        #expect(screen.end == (try LogStream(of: run.folder).end))
        return (screen.text + screen.lines.open).text
    }

    @Test(
        "the tail of a log begins at the first of its last lines",
        arguments: [
            ("", 3, 0), ("one line", 3, 0), ("a\nb\n", 3, 0), ("a\nb\nc\nd\n", 3, 2), ("a\nb\nc\nd", 3, 2),
            ("a\nb\nc\nd\n", 1, 6), ("a\n\n\n", 2, 2), ("a\nb\n", 0, 4),
        ])
    func start(log: String, lines: Int, expected: Int) throws {
        try run.log(log)
        #expect(try tail().start(lines: lines) == expected)
    }

    @Test("the tail of a log counts a line that spans two segments")
    func segments() throws {
        try run.log("a\nb\nsplit ")
        try run.log("line\nc\n", from: 10, attempt: 2)
        #expect(try tail().start(lines: 2) == 4)
    }

    @Test("the tail of a log of 100000 lines begins at the right offset")
    func longLog() throws {
        let line = "0123456789abcde\n"
        try run.log(String(repeating: line, count: 100_000))
        #expect(try tail().start(lines: 24) == 1_600_000 - 24 * 16)
        #expect(try tail().start(lines: 50_000) == 800_000)
        #expect(try tail().start(lines: 200_000) == 0)
    }

    @Test("the tail of a log finds the beginning of a line of 600 kB")
    func longLine() throws {
        try run.log("a\nb\n" + String(repeating: "x", count: 600_000) + "\n")
        #expect(try tail().start(lines: 1) == 4)
        #expect(try tail().start(lines: 2) == 2)
    }

    @Test(
        "a terminal shows the last lines of a log, with the last state of each progress bar",
        arguments: [
            ("", 3, ""), ("a\nb\nc\nd\n", 3, "b\nc\nd\n"), ("a\nb\nc\nd", 3, "b\nc\nd"), ("a\nb\nc\n", 1, "c\n"),
            ("a\nb", 1, "b"), ("a\n 1%\r 2%\r100%\nb\n", 9, "a\n100%\nb\n"), ("a\n 1%\r 2%", 9, "a\n 2%"),
            ("a\n 1%\r 2%\r", 9, "a\n 2%\r"),
        ])
    func screen(log: String, lines: Int, expected: String) throws {
        try run.log(log)
        #expect(try screen(lines) == expected)
    }

    @Test("a progress bar of 2 MB takes one line of a terminal")
    func longBar() throws {
        let bar = (0..<100_000).map { "\rstep \($0) of 100000" }.joined()
        try run.log("before\n" + bar)
        #expect(try screen(24) == "step 99999 of 100000")
        try run.log("before\n" + bar + "\nafter\n")
        #expect(try screen(24) == "step 99999 of 100000\nafter\n")
    }

    @Test("the tail of a run without a log begins at 0")
    func noLog() throws {
        try File.removeTree(run.folder.logs)
        #expect(try tail().start(lines: 24) == 0)
    }
}
