import Testing

@testable import Launcher

@Suite struct ConfigVariablesTests {
    @Test(
        "a config's ${NAME} becomes the variable's value, once, and other uses of \"$\" stay",
        arguments: [
            ("${A}", "1"), ("x${A}y${B}z", "x1y${A}z"), ("$A", "$A"), ("$(ls)", "$(ls)"), ("${A:-x}", "${A:-x}"),
            ("${#A}", "${#A}"),
            ("${1}", "${1}"), ("${}", "${}"), ("${A", "${A"), ("$$", "$$"), ("$${A}", "${A}"), ("$$${A}", "$${A}"),
            ("$${A:-x}", "$${A:-x}"),
            ("${ A }", "${ A }"), ("", ""), ("${EMPTY}.", "."), ("é${A}ü", "é1ü"), ("$${MISSING}", "${MISSING}"),
        ])
    func expands(text: String, expected: String) throws {
        #expect(try Variables([["A": "1", "B": "${A}", "EMPTY": ""]]).expand(text) == expected)
    }

    @Test("a config's ${NAME} fails and names the variable if it is not set")
    func unset() {
        #expect(throws: Variables.Unset(name: "NOT_SET")) { try Variables([["A": "1"]]).expand("${A}${NOT_SET}") }
    }

    @Test("a config's variable has the value of the first source that sets it")
    func sources() throws {
        let variables = Variables([["A": "1"], ["A": "2", "B": "2"], ["B": "3", "C": "3"]])
        #expect(try variables.expand("${A}${B}${C}") == "123")
    }

    @Test("an error hides the value of a variable that is named like a secret, if it is long enough")
    func hidden() {
        let variables = Variables([
            ["API_KEY": "long-enough", "my_password": "also-long-enough", "TOKEN": "short", "HOST": "not-a-secret"],
            ["AWS_CREDENTIALS": "in-a-file", "DB_PASSWD": "passwd-value", "SECRET_X": "secret-value"],
        ])
        #expect(
            variables.hidden
                == ["long-enough", "also-long-enough", "in-a-file", "passwd-value", "secret-value"])
    }

    @Test("a config error does not show a secret's value")
    func noSecretShown() throws {
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
