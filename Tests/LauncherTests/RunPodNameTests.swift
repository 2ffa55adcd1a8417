import Shared
import Testing

@testable import Launcher

@Suite struct RunPodNameTests {
    @Test("a pod's name carries the run, the launch and the mark of a stop", arguments: [false, true])
    func roundTrip(_ isOver: Bool) throws {
        var name = RunPodName(run: try #require(RunID("my-run-1")), launch: "c64821bcd087")
        name.isOver = isOver
        #expect(RunPodName(name.description) == name)
        #expect(name.description == "launch.my-run-1.c64821bcd087\(isOver ? ".over" : "")")
    }

    @Test(
        "a pod of another program is none of ours",
        arguments: [
            "", "launch", "launch.a", "launch..x", "launch.a.", "my pod", "launch.A.x", "launch.a.x.y",
            "launch.a.x.spot.y", "x.a.b",
        ])
    func others(_ name: String) {
        #expect(RunPodName(name) == nil)
    }
}
