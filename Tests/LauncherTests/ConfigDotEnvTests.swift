import Testing

@testable import Launcher

@Suite struct ConfigDotEnvTests {
    private static func read(_ text: String) throws(ConfigError) -> [String: String] {
        try DotEnv(TextFile(bytes: Array(text.utf8), name: ".env")).values
    }

    @Test(
        "a line of .env is read with its quotes, escapes, comments and export",
        arguments: [
            ("A=1", "1"), ("export A=1", "1"), ("  A = 1  ", "1"), ("A=", ""), ("A=x # comment", "x"), ("A=x#y", "x#y"),
            ("A=#y", "#y"),
            ("A= # y", ""), ("A='x # y' # z", "x # y"), ("A=\"x # y\"", "x # y"),
            (#"A="a\n\t\"\\\$\q""#, "a\n\t\"\\$\\q"),
            (#"A='a\n'"#, #"a\n"#), ("A=a=b", "a=b"), ("A=${B}", "${B}"), ("A=1\r\n", "1"), ("# c\n\nA=1\n#", "1"),
            ("A=1\nA=2", "2"),
            ("\u{FEFF}A=1", "1"), ("A=''", ""), ("A=it's", "it's"),
        ])
    func reads(text: String, expected: String) throws { #expect(try Self.read(text) == ["A": expected]) }

    @Test(
        "a line of .env without NAME=VALUE is refused with its number and without its text",
        arguments: [
            ("A=1\nsecret-text", ".env:2: expected NAME=VALUE"),
            ("1A=secret", ".env:1: expected NAME=VALUE"),
            ("export A", ".env:1: expected NAME=VALUE"),
            ("=secret", ".env:1: expected NAME=VALUE"),
            ("\r\n\r\nA B=secret", ".env:3: expected NAME=VALUE"),
            ("A='secret", ".env:1: the quoted value of \"A\" does not end on its line"),
            ("A=\"secret\\\"", ".env:1: the quoted value of \"A\" does not end on its line"),
            ("A='x'secret", ".env:1: more text after the quoted value of \"A\""),
        ])
    func refuses(text: String, expected: String) throws {
        let error = try #require(throws: ConfigError.self) { try Self.read(text) }
        #expect(error.description == expected)
    }
}
