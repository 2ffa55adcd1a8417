import Shared
import Testing

@testable import Launcher

/// Where `attach` begins to show a log.
@Suite struct LogTailTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
    }

    @Test(arguments: [
        ("", 3, 0), ("one line", 3, 0), ("a\nb\n", 3, 0), ("a\nb\nc\nd\n", 3, 2), ("a\nb\nc\nd", 3, 2),
        ("a\nb\nc\nd\n", 1, 6), ("a\n\n\n", 2, 2),
    ]) func start(log: String, lines: Int, expected: Int) throws {
        try run.log(log)
        #expect(try LogTail.start(of: run.folder, lines: lines) == expected)
    }

    @Test func linesThatSpanSegments() throws {
        try run.log("a\nb\nsplit ")
        try run.log("line\nc\n", from: 10, attempt: 2)
        #expect(try LogTail.start(of: run.folder, lines: 2) == 4)
    }

    @Test func aLongLogIsReadFromItsEnd() throws {
        let line = "0123456789abcde\n"
        try run.log(String(repeating: line, count: 10_000))
        #expect(try LogTail.start(of: run.folder, lines: 24) == 160_000 - 24 * 16)
    }

    @Test func aLongBarHasNoLineToBeginAt() throws {
        try run.log(String(repeating: "12%\r", count: 50_000))
        #expect(try LogTail.start(of: run.folder, lines: 24) == 200_000 - (64 << 10))
    }

    @Test func noLog() throws {
        try File.removeTree(run.folder.logs)
        #expect(try LogTail.start(of: run.folder, lines: 24) == 0)
    }
}
