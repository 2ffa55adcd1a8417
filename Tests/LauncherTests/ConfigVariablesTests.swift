import Testing

@testable import Launcher

@Suite struct ConfigVariablesTests {
    @Test(arguments: [
        ("${A}", "1"), ("x${A}y${B}z", "x1y${A}z"), ("$A", "$A"), ("$(ls)", "$(ls)"), ("${A:-x}", "${A:-x}"),
        ("${#A}", "${#A}"),
        ("${1}", "${1}"), ("${}", "${}"), ("${A", "${A"), ("$$", "$$"), ("$${A}", "${A}"), ("$$${A}", "$${A}"),
        ("$${A:-x}", "$${A:-x}"),
        ("${ A }", "${ A }"), ("", ""), ("${EMPTY}.", "."), ("é${A}ü", "é1ü"), ("$${MISSING}", "${MISSING}"),
    ]) func expands(text: String, expected: String) throws {
        #expect(try Variables([["A": "1", "B": "${A}", "EMPTY": ""]]).expand(text) == expected)
    }

    @Test func namesWhatIsNotSet() {
        #expect(throws: Variables.Unset(name: "NOT_SET")) { try Variables([["A": "1"]]).expand("${A}${NOT_SET}") }
    }

    @Test func earlierSourcesWin() throws {
        let variables = Variables([["A": "1"], ["A": "2", "B": "2"], ["B": "3", "C": "3"]])
        #expect(try variables.expand("${A}${B}${C}") == "123")
    }

    @Test func secretsAreKnownByName() {
        let variables = Variables([
            ["API_KEY": "long-enough", "my_password": "also-long-enough", "TOKEN": "short", "HOST": "not-a-secret"],
            ["AWS_CREDENTIALS": "in-a-file", "DB_PASSWD": "passwd-value", "SECRET_X": "secret-value"],
        ])
        #expect(
            variables.knownSecrets
                == ["long-enough", "also-long-enough", "in-a-file", "passwd-value", "secret-value"])
    }

    @Test func errorsShowNoSecret() throws {
        let environment = ["API_KEY": "TOP_SECRET_VALUE"]
        for yaml in [
            "run: ${API_KEY}\ncommand: x", "run: TOP_SECRET_VALUE\ncommand: x",
            "run: a\ncommand: x\nTOP_SECRET_VALUE: 1",
        ] {
            let error = try #require(throws: ConfigError.self) { try Config.reading(yaml, environment: environment) }
            #expect(!error.description.contains("TOP_SECRET"))
        }
    }
}
