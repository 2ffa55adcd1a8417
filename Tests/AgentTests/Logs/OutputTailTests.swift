import Shared
import Testing

@testable import Agent

@Suite struct OutputTailTests {
    private let tail = OutputTail()

    private func append(_ text: String) { tail.append(Array(text.utf8)[...]) }

    @Test(
        "the last lines of the output are shown as a terminal would keep them",
        arguments: [
            ("", []), ("\n\n", []), ("a", ["a"]), ("a\nb\n", ["a", "b"]), ("a\n\nb", ["a", "", "b"]),
            ("\n\na\n\n\n", ["a"]), ("a\r\nb\r\n", ["a", "b"]), ("10%\r50%\r100%\ndone", ["100%", "done"]),
            ("10%\r50%\r", ["50%"]), ("\r\r\nx", ["x"]), ("1\n2\n3\n4\n5\n6\n", ["2", "3", "4", "5", "6"]),
        ] as [(String, [String])])
    func lastLines(_ text: String, _ expected: [String]) {
        append(text)
        #expect(tail.lines(5) == expected)
    }

    @Test("output that comes in pieces gives whole lines")
    func pieces() {
        for piece in ["st", "ep ", "1\nst", "ep 2"] { append(piece) }
        #expect(tail.lines(9) == ["step 1", "step 2"])
        #expect(tail.now.count == 13)
    }

    @Test("the tail of the output is bounded, and every byte is counted")
    func bounded() {
        let piece = [UInt8](repeating: 0x61, count: 10_000)
        for _ in 0..<100 { tail.append(piece[...]) }
        append("the end")
        let (count, bytes) = tail.now
        #expect(count == 1_000_007)
        #expect(bytes.count == OutputTail.capacity)
        #expect(bytes.suffix(7).text == "the end")
        // A single piece larger than the whole tail.
        tail.append([UInt8](repeating: 0x62, count: 3 * OutputTail.capacity)[...])
        #expect(tail.now.bytes.count == OutputTail.capacity)
        #expect(tail.now.bytes.allSatisfy { $0 == 0x62 })
    }
}
