import Shared
import Testing

@testable import Launcher

@Suite struct ConfigDotEnvTests {
    private static func read(_ text: String, environment: [String: String] = [:]) -> DotEnv {
        DotEnv(Array(text.utf8), name: ".env", environment: environment)
    }

    @Test(
        "a value of .env is read with its quotes, escapes, comments and export",
        arguments: [
            ("A=1", "1"), ("export A=1", "1"), ("  A = 1  ", "1"), ("A=", ""), ("A=x # comment", "x"), ("A=x#y", "x#y"),
            ("A=#y", "#y"),
            ("A= # y", ""), ("A='x # y' # z", "x # y"), ("A=\"x # y\"", "x # y"),
            (#"A="a\n\t\"\\\$\q""#, "a\n\t\"\\$\\q"),
            (#"A='a\n'"#, #"a\n"#), ("A=a=b", "a=b"), ("A=${B}", "${B}"), ("A=1\r\n", "1"), ("# c\n\nA=1\n#", "1"),
            ("A=1\nA=2", "2"),
            ("\u{FEFF}A=1", "1"), ("A=''", ""), ("A=it's", "it's"), ("A=two words", "two words"),
            ("A: 1", "1"), ("A: 'x y'", "x y"), ("A='x' ; export A", "x"), ("A=http://h/?a=b#c", "http://h/?a=b#c"),
            // Joined as in a shell.
            ("A='b'\"c\"", "bc"), ("A='b'c", "bc"), ("A=\"it's\"'\"'", "it's\""), (#"A='it\'s'"#, "it's"),
            (#"A='C:\dir\'"#, #"C:\dir\"#),
            // Over several lines, with either kind of line end.
            ("A=\"-----BEGIN-----\nabc\n-----END-----\"\n", "-----BEGIN-----\nabc\n-----END-----"),
            ("A='one\r\ntwo # no comment\r\n'", "one\ntwo # no comment\n"), ("A=\"a\n\nB=1\"", "a\n\nB=1"),
        ])
    func reads(text: String, expected: String) {
        let file = Self.read(text)
        #expect(file.values == ["A": expected] && file.warnings == [])
    }

    @Test(
        "a value of .env expands variables of the environment and of earlier lines, but not in single quotes",
        arguments: [
            ("A=${HOME}/x", "/home/me/x"), ("A=$HOME/x", "/home/me/x"), ("A=\"$HOME ${EMPTY}.\"", "/home/me ."),
            ("A='$HOME'", "$HOME"), ("A=pa$$word", "pa$$word"), ("A=pa$word", "pa$word"), (#"A=\$HOME"#, "$HOME"),
            (#"A="\${HOME}""#, "${HOME}"), ("A=${NONE:-x y}", "x y"), ("A=${EMPTY:-x}", "x"), ("A=${EMPTY-x}", ""),
            ("A=${HOME:-x}", "/home/me"), ("A=$1 ${ HOME } $(ls)", "$1 ${ HOME } $(ls)"), ("A=1\nA=${A}2", "12"),
            ("A=\"${HOME}\"'${HOME}'", "/home/me${HOME}"),
        ])
    func expands(text: String, expected: String) {
        #expect(Self.read(text, environment: ["HOME": "/home/me", "EMPTY": ""]).values["A"] == expected)
    }

    @Test(
        "a line of .env that assigns nothing is skipped, and the lines around it are read",
        arguments: [
            "set -a", "source ./more.sh", "secret-text", "=x", "A B=x", "unset A", "if [ a = b ]; then", "---", "\"x\"",
        ])
    func skips(line: String) {
        let file = Self.read("X=1\n\(line)\nY=2\n")
        #expect(file.values == ["X": "1", "Y": "2"])
        #expect(file.warnings.map(\.description) == [".env:2: this line assigns no variable; it is skipped"])
    }

    @Test("a name alone in .env means a variable of the environment", arguments: ["HOME", "export HOME", "export A B"])
    func reference(line: String) {
        let file = Self.read("X=1\n\(line)\nspring.profile=x\n")
        #expect(file.values == ["X": "1", "spring.profile": "x"] && file.warnings == [])
    }

    @Test("skipped lines of .env are reported once, with the first one's number")
    func skippedLines() {
        let file = Self.read("set -a\nA=\"x\ny\"\nfoo bar\n? \n")
        #expect(
            file.warnings.map(\.description)
                == [".env:1: this line assigns no variable; it is skipped, and 2 more lines of its kind"])
    }

    @Test(
        "a value of .env that cannot be read is reported with its line and without its text, and later lines are read",
        arguments: [
            (Array("A='secret\nB=1\n".utf8), "its quotes do not end"),
            (Array("A=\"secret\\\"\nB=1\n".utf8), "its quotes do not end"),
            (Array("A='x' secret\nB=1\n".utf8), "its quotes do not end"),
            (Array("A=a\0b\nB=1".utf8), "it holds a NUL character"),
        ])
    func unreadable(bytes: [UInt8], reason: String) {
        let file = DotEnv(bytes, name: ".env")
        #expect(file.values == ["B": "1"])
        #expect(file.unreadable["A"]?.description == ".env:1: the value of \"A\" cannot be read: \(reason)")
        #expect(file.warnings == [file.unreadable["A"]])
    }

    @Test("a value of .env keeps its bytes though they are not UTF-8")
    func bytes() throws {
        let latin = Array("A='p".utf8) + [0xe4, 0xff] + Array("ss é'\nB=$A\n".utf8)
        let file = DotEnv(latin, name: ".env")
        let expected = Array("p".utf8) + [0xe4, 0xff] + Array("ss é".utf8)
        #expect(ByteText.bytes(of: try #require(file.values["A"])) == expected)
        #expect(ByteText.bytes(of: try #require(file.values["B"])) == expected)
    }

    @Test("random bytes in .env are read without an end of the program")
    func randomBytes() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("A=1'\"\\$#{}: \n\r\texport \u{e9}\0".utf8) + [0xff]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let file = DotEnv(text, name: ".env", environment: ["A": "x"])
            #expect(file.values.keys.allSatisfy { !$0.isEmpty })
        }
    }
}
