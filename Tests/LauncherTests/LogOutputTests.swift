import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// The log as `launch` writes it into a pipe and into a file.
@Suite struct LogOutputTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
    }

    // MARK: Compact

    @Test("a pipe gets the state of a progress bar every 30 s and at its end")
    func bar() {
        let elapsed = Mutex(Duration.zero)
        let start = ContinuousClock.now
        let output = CompactOutput(console: test.recording.console, now: { start + elapsed.withLock { $0 } })
        for second in 1...70 {
            elapsed.withLock { $0 = .seconds(second) }
            output.write(Array("\r\(second)%".utf8), at: 0)
            output.tick()
        }
        output.write(Array("\r100%\nnext".utf8), at: 0)
        output.end()
        #expect(test.output == "30%\n60%\n100%\nnext")
    }

    // MARK: Files

    private var path: String { "\(test.home)/file" }

    private func file(_ text: String? = nil) throws -> LogFile {
        if let text { try File.write(Array(text.utf8), over: path) }
        return try LogFile(path)
    }

    private func next(_ file: LogFile) throws -> Int { try file.next(of: try LogStream(of: run.folder)) }

    private func refusal(_ file: LogFile) throws -> String {
        try #require(throws: Failure.self) { _ = try next(file) }.problem.description
    }

    @Test(
        "writing the log to a partial file continues at the file's end",
        arguments: [nil, "", "0", "01234", "0123456789"])
    func continues(text: String?) throws {
        try run.log("0123456789")
        let file = try file(text)
        let offset = try next(file)
        #expect(offset == text?.count ?? 0)
        try file.write(Array("0123456789".utf8.dropFirst(offset)), at: offset)
        #expect(try File.read(path).text == "0123456789")
    }

    @Test("writing the log refuses a file longer than the log and leaves it alone")
    func longerFile() throws {
        try run.log("01234")
        #expect(
            try refusal(try file("0123456")) == """
                "\(path)" has 7 bytes, the log 5
                hint: give another file, or keep the common beginning with: truncate -s 5 \(path)
                """)
        #expect(try File.read(path).text == "0123456", "it is left alone")
    }

    @Test(
        "writing the log refuses a file that differs from it and names the first such byte",
        arguments: [("x123", 0), ("012x", 3), ("01x3", 2)])
    func otherLog(text: String, byte: Int) throws {
        try run.log("01234")
        #expect(
            try refusal(try file(text)) == """
                "\(path)" is not a beginning of this log: byte \(byte) differs
                hint: give another file, or keep the common beginning with: truncate -s \(byte) \(path)
                """)
    }

    @Test("writing the log to a long partial file compares the file near its end")
    func longFile() throws {
        let log = (0..<40_000).map { "\($0)\n" }.joined()
        try run.log(log)
        let text = String(log.prefix(200_000))
        #expect(try next(try file(text)) == 200_000)
        let changed = String(text.dropLast(60_000)) + "#" + text.suffix(59_999)
        #expect(try refusal(try file(changed)).contains("byte 140000 differs"))
    }

    @Test("writing the log refuses a path that cannot be a regular file")
    func notAFile() throws {
        for path in ["/dev/null", test.home, "\(test.home)/no/folder"] {
            let failure = try #require(throws: Failure.self) { try LogFile(path) }
            #expect(failure.exit == .output)
            #expect(failure.problem.sentence.contains("\"\(path)\""))
        }
    }

    @Test("bytes that were lost with a pod are moved from the local copy of the log to a file beside it")
    func lostBytes() throws {
        let file = try file("0123456")
        for (number, range, kept) in [(1, 5..<7, "01234"), (2, 4..<5, "0123")] {
            #expect(
                try file.lose(range)
                    == "the last \(range.count) bytes of \"\(path)\" were lost with a pod and are no part of the log: "
                    + "they are in \"\(path).lost-\(number)\" now")
            #expect(try File.read(path).text == kept)
        }
        #expect(try File.read("\(path).lost-1").text == "56")
        #expect(try File.read("\(path).lost-2").text == "4")
        try file.write(Array("ab".utf8), at: 4)
        #expect(try File.read(path).text == "0123ab")
    }

    @Test("writing the log to a file fails rather than leave a gap")
    func gap() throws {
        let file = try file("0123")
        #expect(throws: Failure.self) { try file.skip(4..<9) }
        #expect(try File.read(path).text == "0123")
    }
}
