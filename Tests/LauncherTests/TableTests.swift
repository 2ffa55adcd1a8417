import Testing

@testable import Launcher

@Suite struct TableTests {
    @Test func alignsAllColumnsButTheLast() {
        let table = Table(
            ["RUN", "STATE", "VOLUME"], [["a", "setup-failed", "/v"], ["long-name", "lost", "/volume"]])
        #expect(
            table.text == """
                RUN        STATE         VOLUME
                a          setup-failed  /v
                long-name  lost          /volume

                """)
    }

    @Test func nothingToShowPrintsNothing() {
        #expect(Table(["RUN", "STATE"], []).text == "")
    }

    @Test func facts() {
        #expect(Table([("run", "a"), ("exit code", "7")]).lines == ["run        a", "exit code  7"])
        #expect(Table([]).lines.isEmpty)
    }

    @Test func oneColumn() {
        #expect(Table(["RUN"], [["a"]]).text == "RUN\na\n")
    }
}
