import Shared
import Testing

@testable import Launcher

/// Texts of pods, volumes and repositories on their way to the terminal.
@Suite struct PrintableTests {
    private let hostile = "\u{1b}]0;owned\u{7}\u{9b}2J\r\u{202e}evil\u{8}\u{2066}\u{7f}"

    @Test("control characters and marks of direction are escaped, and all other text stays")
    func escapes() {
        #expect(
            hostile.printable
                == #"\u001b]0;owned\u0007\u009b2J\u000d\u202eevil\u0008\u2066\u007f"#)
        #expect("a\nb\tÄ 漢 🚀 e\u{301}".printable == "a\nb\tÄ 漢 🚀 e\u{301}")
        #expect("a\nb".printableLine == #"a\u000ab"#)
    }

    @Test("escaped JSON is the same JSON")
    func json() throws {
        let text = try JSON.text([hostile, "plain"]).printable
        #expect(!text.contains("\u{9b}"))
        #expect(try JSON.decode([String].self, from: text.utf8) == [hostile, "plain"])
    }

    @Test("results, notes, problems and tables have no effect on a terminal")
    func console() {
        let recording = RecordingConsole()
        recording.console.show(hostile + "\n")
        recording.console.note(hostile)
        recording.console.complain(Problem(hostile, hint: hostile))
        recording.console.show(Table(["A", "B"], [[hostile, "x\ny"]]).text)
        let shown = recording.bytes.text + recording.errors
        #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
        #expect(recording.bytes.text.split(separator: "\n").count == 3)
    }
}
