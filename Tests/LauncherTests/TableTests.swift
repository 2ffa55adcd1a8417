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

    @Test func oneColumn() {
        #expect(Table(["RUN"], [["a"]]).text == "RUN\na\n")
    }
}
