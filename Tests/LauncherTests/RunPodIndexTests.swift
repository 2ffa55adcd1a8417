import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct RunPodIndexTests {
    private let run = RunID("demo")

    @Test("a run is found with its place and its last pod after the pod is gone")
    func remembers() throws {
        let folder = try TemporaryFolder()
        let index = RunPodIndex(home: folder.path)
        let run = try #require(run)
        try index.remember(
            Pod(
                provider: .runpod, id: "p1", run: run, launch: "l1", state: .running,
                place: .network(id: "vol1", mount: "/workspace"), created: Date()), nil)
        try index.remember(run, at: .network(id: "vol2", mount: "/data"))
        let entry = try #require(index.entries[run])
        #expect(entry.place == .network(id: "vol2", mount: "/data"))
        #expect(entry.pod == "p1" && entry.launch == "l1")
    }

    @Test("an entry that is damaged hides no other")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let index = RunPodIndex(home: folder.path)
        try index.remember(try #require(run), at: .ownDisk(mount: "/workspace"))
        try File.write(Array("{".utf8), over: "\(folder.path)/runpod/other.json")
        #expect(index.entries.map(\.key.text) == ["demo"])
    }
}
