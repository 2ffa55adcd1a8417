import Foundation
import Shared
import TestSupport
import Testing

/// Names on the volume. They must not change: other versions and other hosts read them.
@Suite struct VolumeTests {
    @Test("each file of a run has its fixed path on the volume")
    func names() throws {
        let volume = Volume(root: "/v")
        let run = volume.run(try #require(RunID("train")))
        #expect(run.path == "/v/runs/train")
        #expect(run.specFile == "/v/runs/train/run.json")
        #expect(run.work == "/v/runs/train/work")
        #expect(run.claimPath(3) == "/v/runs/train/attempts/0003.claim")
        #expect(run.beatPath(12345) == "/v/runs/train/attempts/12345.beat")
        #expect(run.recordPath(3) == "/v/runs/train/attempts/0003.json")
        #expect(run.liveSegmentPath(from: 8_388_608, attempt: 3) == "/v/runs/train/logs/00000000000008388608-a0003.log")
        #expect(volume.currentLog == "/v/logs/current.log")
        #expect(volume.environments == "/v/.pod-agent/envs")
        #expect(Volume(of: run) == volume)
    }

    @Test("the volume's runs are the folders with a valid run name, in order")
    func runs() throws {
        let folder = try TemporaryFolder("volume")
        #expect(Volume(root: folder.path).runs == [])
        for name in ["b", "a", "Not One", ".hidden"] { try File.makeFolders("\(folder.path)/runs/\(name)") }
        #expect(Volume(root: folder.path).runs.map(\.text) == ["a", "b"])
    }

    @Test("claims are ordered by number, not by file name, and other files are ignored")
    func claims() throws {
        let folder = try TemporaryFolder("volume")
        let run = Volume(root: folder.path).run(try #require(RunID("train")))
        #expect(try run.claims() == [])
        try File.makeFolders(run.attempts)
        for number in [9999, 10000, 2] {
            let claim = Claim(
                number: number, pod: "p", launch: "l", lineage: "l", logStart: 0, stream: "s", processes: [],
                claimed: Date(timeIntervalSince1970: 0))
            try File.replace(run.claimPath(number), with: try JSON.encode(claim))
        }
        try File.write([], over: "\(run.attempts)/0003.claim.aside")
        #expect(try run.claims().map(\.number) == [2, 9999, 10000])
        #expect(try run.readRecord(2) == nil)
        #expect(try run.spec() == nil)
    }
}
