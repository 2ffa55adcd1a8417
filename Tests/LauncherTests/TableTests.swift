import Testing

@testable import Launcher

@Suite struct TableTests {
    @Test("a table pads all columns but the last")
    func columns() {
        let table = Table(
            ["RUN", "STATE", "VOLUME"], [["a", "setup-failed", "/v"], ["long-name", "lost", "/volume"]])
        #expect(
            table.text == """
                RUN        STATE         VOLUME
                a          setup-failed  /v
                long-name  lost          /volume

                """)
    }

    @Test("a table without rows prints nothing")
    func noRows() {
        #expect(Table(["RUN", "STATE"], []).text == "")
    }

    @Test("a table of names and values aligns the values")
    func facts() {
        #expect(Table([("run", "a"), ("exit code", "7")]).lines == ["run        a", "exit code  7"])
        #expect(Table([]).lines.isEmpty)
    }

    @Test("a table of one column has no padding")
    func oneColumn() {
        #expect(Table(["RUN"], [["a"]]).text == "RUN\na\n")
    }
}
